package client

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

func TestRouting(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "a/+", 0)
	w.sub(3, "a/#", 0)
	w.sub(4, "$share/g/b", 0)
	w.log = nil
	receive := func(topic string) {
		w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte("x"), Properties: &packets.Properties{}})
	}
	receive("a/b")
	receive("a")
	receive("b")
	receive("c")
	w.Unsubscribe(w.now, 5, 2)
	receive("a/b")
	w.expectCalls("message a/b=x for [1 2]; message a=x for [2]; message b=x for [3]; unclaimed c=x; failed 3 ERR_UNSUBSCRIBED; done 5; message a/b=x for [1]")
}

func TestTopicCacheIsBounded(t *testing.T) {
	var c topicCache
	var r mqtt.Router
	for i := range 3 * maxTopics {
		if topic := c.find(fmt.Appendf(nil, "t/%d", i), uint32(i)); topic.ID >= maxTopics || topic.version == r.Version() {
			t.Fatalf("the topic %+v has recipients, or its ID exceeds the bound", topic)
		}
	}
	long := bytes.Repeat([]byte("x"), 60000)
	for i := range 100 {
		c.find(append(long, byte('a'+i%26), byte('a'+i/26)), 0)
	}
	if len(c.byName) > maxTopics || c.bytes > maxTopicBytes {
		t.Errorf("the cache contains %d topics with %d bytes", len(c.byName), c.bytes)
	}
}

// TestTopicCacheFinds checks that find returns one Topic for each name, also if the names have the same place in
// recent, and after the cache was emptied.
func TestTopicCacheFinds(t *testing.T) {
	var c topicCache
	var r mqtt.Router
	r.Add("t/+", 7)
	find := func(name string) *Topic {
		topic := c.find([]byte(name), uint32(len(name)))
		if topic.version != r.Version() {
			topic.route(&r)
		}
		return topic
	}
	for range 2 { // the second time, the cache is empty again
		topics := map[*Topic]string{}
		for range 3 {
			for i := range 1000 {
				name := fmt.Sprintf("t/%d", i)
				topic := find(name)
				if topic.Name != name || !slices.Equal(topic.Recipients, []uint32{7}) {
					t.Fatalf("find(%q) returns the topic %q with the recipients %v", name, topic.Name, topic.Recipients)
				}
				topics[topic] = name
			}
		}
		if len(topics) != 1000 {
			t.Fatalf("find returned %d topics for 1000 names", len(topics))
		}
		for i := range maxTopics {
			find(fmt.Sprintf("other/%d", i))
		}
		if _, ok := c.byName["t/1"]; ok {
			t.Fatal("the cache was not emptied")
		}
	}
	first := find("t/1")
	r.Remove("t/+", 7)
	if again := find("t/1"); again != first || !again.Fresh || len(again.Recipients) != 0 {
		t.Errorf("after a change of the filters, find returns %+v", again)
	}
}
