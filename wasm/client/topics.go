package client

import (
	"slices"

	"iot.wasm/wasm/mqtt"
)

// A Topic is one that messages have come for, with the filters it matches.
type Topic struct {
	ID      uint32 // small; given to another topic when the cache is emptied
	Name    string
	Filters []uint32
	// Fresh: the Host has not seen the topic as it is now. For the Host to
	// clear.
	Fresh bool
	// First: it is the first since the cache was emptied, so that what the Host
	// keeps of others is of no use. For the Host to clear, too.
	First     bool
	version   uint64
	unclaimed bool // a message has waited in vain for a subscription
}

// topicCache spares the hot path the decoding and routing of topics that come
// again and again. At its bound it starts over: cheaper than to keep count of
// what is used, and right for a page whose topics are few.
type topicCache struct {
	byName  map[string]*Topic
	bytes   int
	emptied bool
	last    *Topic
}

const (
	maxTopics     = 4096
	maxTopicBytes = 1 << 20
)

func (c *topicCache) find(name []byte, r *mqtt.Router) *Topic {
	t := c.last
	if t == nil || t.Name != string(name) {
		t = c.byName[string(name)]
	}
	if t == nil {
		if c.byName == nil || len(c.byName) >= maxTopics || c.bytes+len(name) > maxTopicBytes {
			c.emptied = c.emptied || c.byName != nil
			c.byName, c.bytes, c.last = make(map[string]*Topic), 0, nil
		}
		t = &Topic{ID: uint32(len(c.byName)), Name: string(name), First: len(c.byName) == 0}
		c.byName[t.Name] = t
		c.bytes += len(name)
	} else if t.version == r.Version() {
		c.last = t
		return t
	}
	t.version, t.unclaimed = r.Version(), false
	t.Filters = r.Match(t.Name, t.Filters[:0])
	t.Fresh = true
	return t
}

// heard reports whether a message for the filter has come, as far as it is known.
func (c *topicCache) heard(filter uint32) bool {
	for _, t := range c.byName {
		if slices.Contains(t.Filters, filter) {
			return true
		}
	}
	return c.emptied
}
