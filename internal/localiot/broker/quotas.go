package broker

import (
	"strings"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Quotas of AWS IoT Core that CONNACK does not announce ("AWS IoT Core message broker and protocol limits
// and quotas").
const (
	maxPayload       = 128 << 10   // bytes
	maxTopic         = 256         // bytes of UTF-8
	maxSlashes       = 7           // in a topic or a filter
	maxSubscriptions = 50          // of one connection
	maxFilters       = 8           // in one SUBSCRIBE or UNSUBSCRIBE
	maxPublishRate   = 100         // messages a second on a connection, in both directions together
	maxThroughput    = 512 << 10   // bytes a second on a connection, in both directions together
	connectInterval  = time.Second // between two CONNECT packets with one client id
)

// fitsQuota reports whether the length and the depth of a topic or a topic filter are within the
// quotas. The prefixes of Basic Ingest and of shared subscriptions do not count.
func fitsQuota(topic string) bool {
	if rest, ok := strings.CutPrefix(topic, rulesPrefix); ok {
		_, topic, _ = strings.Cut(rest, "/")
	} else {
		topic = withoutShareGroup(topic)
	}
	return len(topic) <= maxTopic && strings.Count(topic, "/") <= maxSlashes
}

// withoutShareGroup removes $share and the group from the filter of a shared subscription. It returns
// any other topic or filter unchanged.
func withoutShareGroup(filter string) string {
	if rest, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(rest, "/")
	}
	return filter
}

// checkPublish checks the topic, the payload size and the RETAIN flag of a PUBLISH or a will against the
// quotas, the authorizer, which may be nil, and the reserved topics. If the PUBLISH has only an alias,
// topic is the topic of the alias. checkPublish also returns the name of the check that failed.
func (b *Broker) checkPublish(a Authorizer, topic string, size int, retain bool) (code packets.Code, check string) {
	switch {
	case !b.options.NoQuotas && !fitsQuota(topic):
		return packets.ErrTopicNameInvalid, "topic-quota"
	case !b.options.NoQuotas && size > maxPayload:
		return packets.ErrQuotaExceeded, "payload-quota"
	case a != nil && !a.Publish(topic, retain):
		return packets.ErrNotAuthorized, "policy"
	}
	return b.CheckPublish(topic, retain), "reserved-topic"
}

// CheckMessage returns the reason code with which the quotas, the reserved topics and the bound of retained
// messages refuse a message of a client, or CodeSuccess. It is for messages of the HTTP API. size is that
// of the payload, in bytes.
func (b *Broker) CheckMessage(topic string, size int, retain bool) packets.Code {
	code, _ := b.checkPublish(nil, topic, size, retain)
	if code == packets.CodeSuccess && retain && !b.mayRetain(topic, size) {
		return packets.ErrQuotaExceeded
	}
	return code
}

// rate counts the messages of one second on a connection.
type rate struct {
	since time.Time // the start of the second
	n     int
}

// allow counts one message, and reports whether it is within maxPublishRate.
func (r *rate) allow(now time.Time) bool {
	if d := now.Sub(r.since); d >= time.Second || d < 0 {
		*r = rate{since: now}
	}
	r.n++
	return r.n <= maxPublishRate
}

// withinRate counts a PUBLISH from the client, and reports whether it is within the rate quota.
func (c *Conn) withinRate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broker.options.RateQuotas || c.rate.allow(c.broker.options.Now())
}

// throughput limits the bytes of a connection to maxThroughput.
type throughput struct {
	free time.Time // when the connection has transmitted all bytes at maxThroughput
}

// delay counts n bytes, and returns how long they must be delayed. A connection may transmit the bytes of
// one second at once.
func (t *throughput) delay(n int, now time.Time) time.Duration {
	if t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Duration(n) * time.Second / maxThroughput)
	return t.free.Sub(now) - time.Second
}

// limitThroughput waits until n bytes may be transmitted, or until the connection closes.
func (c *Conn) limitThroughput(n int) {
	if !c.broker.options.RateQuotas {
		return
	}
	c.mu.Lock()
	d := c.throughput.delay(n, time.Now())
	c.mu.Unlock()
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ending:
	}
}

// connectRate limits how often a client id may connect. It is safe for concurrent use.
type connectRate struct {
	mu   sync.Mutex
	last map[string]time.Time // the last CONNECT of each client id
}

// allow reports whether the client id has not connected within connectInterval. If so, it records now as
// the last CONNECT.
func (r *connectRate) allow(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, t := range r.last { // removes outdated entries, which bounds the map
		if d := now.Sub(t); d >= connectInterval || d < 0 {
			delete(r.last, other)
		}
	}
	if _, soon := r.last[id]; soon {
		return false
	}
	r.last[id] = now
	return true
}
