package broker

import (
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
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
	connectInterval  = time.Second // between two CONNECT packets with one client id
)

// fitsQuota reports whether the length and the depth of a topic or a topic filter are within the
// quotas. The prefixes of Basic Ingest and of shared subscriptions do not count.
func fitsQuota(topic string) bool {
	if rest, ok := strings.CutPrefix(topic, "$aws/rules/"); ok {
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

// allowsTopic reports whether the policy of the client allows a topic or a topic filter.
func (c *Conn) allowsTopic(topic string) bool { return c.policy.AllowsTopic(withoutShareGroup(topic)) }

// checkPublish checks the topic, the payload size and the RETAIN flag of a PUBLISH or a will against the
// quotas, the policy and the reserved topics. If the PUBLISH has only an alias, topic is the topic of
// the alias.
func (b *Broker) checkPublish(c *Conn, topic string, size int, retain bool) packets.Code {
	switch {
	case !b.options.NoQuotas && !fitsQuota(topic):
		return packets.ErrTopicNameInvalid
	case !b.options.NoQuotas && size > maxPayload:
		return packets.ErrQuotaExceeded
	case !c.allowsTopic(topic), !b.allowsReserved(topic, retain):
		return packets.ErrNotAuthorized
	}
	return packets.CodeSuccess
}

// refusePublish refuses a PUBLISH. It sends an acknowledgement with the reason code. If the PUBLISH has
// QoS 0 or the client uses MQTT 3.1.1, it closes the connection instead.
func refusePublish(cl *mqtt.Client, pk packets.Packet, reason packets.Code) {
	kind := packets.Puback
	switch {
	case cl.Properties.ProtocolVersion < 5 || pk.FixedHeader.Qos == 0:
		connOf(cl).Disconnect(reason)
		return
	case pk.FixedHeader.Qos == 2:
		kind = packets.Pubrec
	}
	cl.WritePacket(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: kind},
		PacketID:    pk.PacketID,
		ReasonCode:  reason.Code,
		Properties:  packets.Properties{ReasonString: reason.Reason},
	})
}

// limitSubscriptions enforces the quotas of a SUBSCRIBE. It replaces a filter that exceeds a quota by an
// empty filter, which mochi-mqtt refuses with 0x8F. For filters above maxSubscriptions, OnPacketEncode
// changes the reason code to 0x97.
func (b *Broker) limitSubscriptions(cl *mqtt.Client, filters packets.Subscriptions) {
	c := connOf(cl)
	c.overQuota = nil
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
			c.overQuota = append(c.overQuota, i)
			continue
		}
		added[filter] = true
	}
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
