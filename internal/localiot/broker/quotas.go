package broker

import (
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// AWS IoT Core's quotas that CONNACK does not announce.
const (
	maxPayload       = 128 << 10 // bytes
	maxTopic         = 256       // bytes of UTF-8
	maxSlashes       = 7         // in a topic or a filter
	maxSubscriptions = 50        // of one connection
	maxFilters       = 8         // in one SUBSCRIBE or UNSUBSCRIBE
	maxPublishRate   = 100       // a second and connection, in and out together
	connectInterval  = time.Second
)

// fitsQuota says whether a topic or a filter is short and flat enough. The prefixes of Basic Ingest
// and of shared subscriptions do not count.
func fitsQuota(topic string) bool {
	if rest, ok := strings.CutPrefix(topic, "$aws/rules/"); ok {
		_, topic, _ = strings.Cut(rest, "/")
	} else {
		topic = withoutShareGroup(topic)
	}
	return len(topic) <= maxTopic && strings.Count(topic, "/") <= maxSlashes
}

// withoutShareGroup returns the topic filter inside of a shared subscription, and any other topic or
// filter as it is.
func withoutShareGroup(filter string) string {
	if rest, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(rest, "/")
	}
	return filter
}

// allowsTopic reports whether the policy of the client allows a topic or a topic filter.
func (c *Conn) allowsTopic(topic string) bool { return c.policy.AllowsTopic(withoutShareGroup(topic)) }

// judge says whether a client may publish, where topic is what an alias stands for.
func (b *Broker) judge(c *Conn, topic string, size int) packets.Code {
	switch {
	case !b.options.NoQuotas && !fitsQuota(topic):
		return packets.ErrTopicNameInvalid
	case !b.options.NoQuotas && size > maxPayload:
		return packets.ErrQuotaExceeded
	case !c.allowsTopic(topic):
		return packets.ErrNotAuthorized
	}
	return packets.CodeSuccess
}

// refusePublish answers a PUBLISH that is not to be. Where MQTT has no answer, the connection ends.
func refusePublish(cl *mqtt.Client, pk packets.Packet, why packets.Code) {
	kind := packets.Puback
	switch {
	case cl.Properties.ProtocolVersion < 5 || pk.FixedHeader.Qos == 0:
		connOf(cl).Disconnect(why)
		return
	case pk.FixedHeader.Qos == 2:
		kind = packets.Pubrec
	}
	cl.WritePacket(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: kind},
		PacketID:    pk.PacketID,
		ReasonCode:  why.Code,
		Properties:  packets.Properties{ReasonString: why.Reason},
	})
}

// limitSubscriptions keeps to the quotas of a SUBSCRIBE. A filter that does not fit becomes one that
// the broker refuses with 0x8F; for those too many, conn.excess makes 0x97 of it in the SUBACK.
func (b *Broker) limitSubscriptions(cl *mqtt.Client, filters packets.Subscriptions) {
	c := connOf(cl)
	c.excess = nil
	added := make(map[string]bool)
	for i := range filters {
		filter := filters[i].Filter
		if !fitsQuota(filter) {
			filters[i].Filter = ""
			continue
		}
		if _, has := cl.State.Subscriptions.Get(filter); has || added[filter] {
			continue
		}
		if cl.State.Subscriptions.Len()+len(added) >= maxSubscriptions {
			filters[i].Filter = ""
			c.excess = append(c.excess, i)
			continue
		}
		added[filter] = true
	}
}

// rate counts publishes. The excess of a second is discarded without a word.
type rate struct {
	since time.Time
	n     int
}

func (r *rate) allow(now time.Time) bool {
	if d := now.Sub(r.since); d >= time.Second || d < 0 {
		*r = rate{since: now}
	}
	r.n++
	return r.n <= maxPublishRate
}

// connectRate remembers when a client id was used last.
type connectRate struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (r *connectRate) allow(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, t := range r.last { // so that it holds those of the last second only
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
