package client

import "iot.wasm/wasm/mqtt"

// A Topic is the topic of received messages.
type Topic struct {
	// ID is small. When the cache is emptied, another topic gets the same id.
	ID   uint32
	Name string
	// Recipients are the ids of the subscriptions that match the topic, in ascending
	// order.
	Recipients []uint32
	// Fresh is true where the Host has not seen the current Recipients. The Host
	// clears it.
	Fresh bool
	// First is true where the cache was emptied before this topic, so that the Host
	// can drop all others. The Host clears it.
	First     bool
	version   uint64
	live      uint64 // number of its last message that was not retained
	unclaimed bool   // a message of this topic has been reported as unclaimed
}

// topicCache keeps topics, so that the hot path neither decodes nor routes one again.
// When the cache is full, it is emptied: a page uses few topics, and counting their
// use would cost more.
type topicCache struct {
	byName map[string]*Topic
	bytes  int
	last   *Topic
}

const (
	maxTopics     = 4096
	maxTopicBytes = 1 << 20
)

// find returns the topic, and whether its recipients were determined anew.
func (c *topicCache) find(name []byte, r *mqtt.Router) (t *Topic, routed bool) {
	t = c.last
	if t == nil || t.Name != string(name) {
		t = c.byName[string(name)]
	}
	if t == nil {
		if c.byName == nil || len(c.byName) >= maxTopics || c.bytes+len(name) > maxTopicBytes {
			c.byName, c.bytes, c.last = make(map[string]*Topic), 0, nil
		}
		t = &Topic{ID: uint32(len(c.byName)), Name: string(name), First: len(c.byName) == 0}
		c.byName[t.Name] = t
		c.bytes += len(name)
	} else if t.version == r.Version() {
		c.last = t
		return t, false
	}
	t.version, t.unclaimed = r.Version(), false
	t.Recipients = r.Match(t.Name, t.Recipients[:0])
	t.Fresh = true
	return t, true
}
