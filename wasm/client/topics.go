package client

import (
	"math"

	"iot.wasm/wasm/mqtt"
)

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
	version   uint64 // of the router, when it determined Recipients; math.MaxUint64: not determined
	live      uint64 // Client.live at the last live message of the topic; 0: none
	unclaimed bool   // the client has reported a message of the topic as unclaimed
}

// topicCache keeps topics, so that the hot path does not decode or route a topic twice.
// add empties a full cache. Most pages use few topics, so that it is not worth recording
// which ones were used last.
type topicCache struct {
	byName map[string]*Topic
	bytes  int
	// recent contains topics of the last messages, by the upper bits of the hashes. It is faster
	// than byName.
	recent [1 << 6]*Topic
}

const (
	maxTopics     = 4096
	maxTopicBytes = 1 << 20 // the bytes of their names
)

// find returns the topic. hash is the hash of its name (see [mqtt.Publish]).
func (c *topicCache) find(name []byte, hash uint32) *Topic {
	recent := &c.recent[hash>>26]
	t := *recent
	if t == nil || t.Name != string(name) {
		if t = c.byName[string(name)]; t == nil {
			t = c.add(name)
		}
		*recent = t
	}
	return t
}

// route determines the recipients of the topic.
func (t *Topic) route(r *mqtt.Router) {
	t.version, t.unclaimed = r.Version(), false
	t.Recipients = r.Match(t.Name, t.Recipients[:0])
	t.Fresh = true
}

// add adds a topic whose recipients are not determined. It empties a full cache before.
func (c *topicCache) add(name []byte) *Topic {
	if c.byName == nil || len(c.byName) >= maxTopics || c.bytes+len(name) > maxTopicBytes {
		*c = topicCache{byName: make(map[string]*Topic)}
	}
	t := &Topic{ID: uint32(len(c.byName)), Name: string(name), First: len(c.byName) == 0, version: math.MaxUint64}
	c.byName[t.Name] = t
	c.bytes += len(name)
	return t
}
