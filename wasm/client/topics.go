package client

import "iot.wasm/wasm/mqtt"

// A Topic is the topic of received messages. The client keeps topics in a cache.
type Topic struct {
	// ID identifies the topic in the cache, and is less than 4096. After the client has
	// emptied the cache, it assigns the same ids to other topics.
	ID   uint32
	Name string
	// Recipients contains the ids of the subscriptions that match the topic, in
	// ascending order.
	Recipients []uint32
	// Fresh is true if Recipients has changed since the Host cleared Fresh.
	Fresh bool
	// First is true for the first topic after the client has emptied the cache. The Host
	// then removes its copies of all other topics, and clears First.
	First     bool
	version   uint64 // of the router, when it determined Recipients
	live      uint64 // Client.live at the last live message of the topic; 0: none
	unclaimed bool   // the client has reported a message of the topic as unclaimed
}

// topicCache keeps topics, so that the hot path does not decode or route a topic twice.
// find empties a full cache. Most pages use few topics, so that it is not worth recording
// which ones were used last.
type topicCache struct {
	byName map[string]*Topic
	bytes  int
	last   *Topic
}

const (
	maxTopics     = 4096
	maxTopicBytes = 1 << 20 // the bytes of their names
)

// find returns the topic. routed reports whether it has determined the recipients again.
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
