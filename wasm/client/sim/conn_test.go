package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
	"iot.wasm/wasm/mqtt"
)

// A conn is the broker's side of a link.
type conn struct {
	b          *broker
	link       *link
	in         []byte
	session    *session
	receiveMax int
	unacked    map[uint16]string // unacknowledged messages of QoS 1 and 2
	seen       map[string]bool   // payloads that the client has sent on this connection
	aliases    map[uint16]string
	ended      bool
}

// end ends the connection. The session remains until it expires.
func (c *conn) end() {
	if c.ended {
		return
	}
	c.ended = true
	c.b.conns = slices.DeleteFunc(c.b.conns, func(o *conn) bool { return o == c })
	if s := c.session; s != nil && s.conn == c {
		s.conn = nil
		s.expires = c.b.w.now + 300*time.Second
	}
}

func (c *conn) send(kind byte, content packets.Packet) {
	if c.ended {
		return
	}
	c.link.brokerSends(pahotest.Encode(c.b.w.t, kind, content))
}

// receive decodes received bytes.
func (c *conn) receive(piece []byte) {
	c.in = append(c.in, piece...)
	for !c.ended && len(c.in) >= 2 {
		if bytes.HasPrefix(c.in, []byte{0xe0, 0}) { // paho cannot decode a DISCONNECT without a reason code
			c.in = c.in[2:]
			c.disconnect(0)
			return
		}
		r := bytes.NewReader(c.in)
		cp, err := packets.ReadPacket(r)
		if err != nil {
			return // the packet is incomplete
		}
		c.in = c.in[len(c.in)-r.Len():]
		c.packet(cp)
	}
}

func (c *conn) disconnect(reason byte) {
	// A stalled link may cause a keep-alive timeout (0x8d) or an acknowledgement timeout (0x80).
	if reason >= 0x80 && reason != 0x8d && reason != 0x80 {
		c.b.w.broken("the client sends DISCONNECT 0x%02x", reason)
	}
	c.end()
	c.link.closeByBroker(1000)
}

func (c *conn) packet(cp *packets.ControlPacket) {
	w := c.b.w
	if (c.session == nil) != (cp.Type == packets.CONNECT) {
		w.broken("the client sends %s before CONNECT, or CONNECT twice", cp.PacketType())
		return
	}
	switch p := cp.Content.(type) {
	case *packets.Connect:
		c.connect(p)
	case *packets.Publish:
		c.publish(p)
	case *packets.Pubrel:
		c.later(func() {
			delete(c.session.received, p.PacketID)
			delete(c.unacked, p.PacketID)
			c.send(packets.PUBCOMP, &packets.Pubcomp{PacketID: p.PacketID, Properties: &packets.Properties{}})
		})
	case *packets.Puback:
		c.acknowledged(p.PacketID, false)
	case *packets.Pubrec:
		c.acknowledged(p.PacketID, true)
	case *packets.Pubcomp:
		s := c.session
		s.inflight = slices.DeleteFunc(s.inflight, func(d *delivery) bool { return d.id == p.PacketID && d.released })
	case *packets.Subscribe:
		if len(p.Subscriptions) > 8 {
			w.broken("a SUBSCRIBE contains %d filters", len(p.Subscriptions))
		}
		var codes []byte
		for _, s := range p.Subscriptions {
			_, had := c.session.filters[s.Topic]
			c.session.filters[s.Topic] = s.QoS
			codes = append(codes, s.QoS)
			if s.RetainHandling == 0 || s.RetainHandling == 1 && !had {
				c.retained(s.Topic, s.QoS)
			}
		}
		c.later(func() {
			c.send(packets.SUBACK, &packets.Suback{PacketID: p.PacketID, Reasons: codes, Properties: &packets.Properties{}})
		})
	case *packets.Unsubscribe:
		var codes []byte
		for _, f := range p.Topics {
			delete(c.session.filters, f)
			codes = append(codes, 0)
		}
		c.later(func() {
			c.send(packets.UNSUBACK, &packets.Unsuback{PacketID: p.PacketID, Reasons: codes, Properties: &packets.Properties{}})
		})
	case *packets.Pingreq:
		c.send(packets.PINGRESP, &packets.Pingresp{})
	case *packets.Disconnect:
		c.disconnect(p.ReasonCode)
	}
}

// later calls do after a short time. It does not call do if the connection has ended by that
// time, or if silentUntil applies to the client at that time.
func (c *conn) later(do func()) {
	c.b.w.after(c.b.w.between(0, 300*time.Millisecond), func() {
		if !c.ended && (c.b.w.now >= c.b.silentUntil || c.b.spared[c.session.id]) {
			do()
		}
	})
}

func (c *conn) connect(p *packets.Connect) {
	b := c.b
	if b.mute > 0 {
		b.mute--
		c.session = &session{} // the client receives no answer
		return
	}
	if len(b.refuse) > 0 {
		reason := b.refuse[0]
		b.refuse = b.refuse[1:]
		c.send(packets.CONNACK, &packets.Connack{ReasonCode: reason, Properties: &packets.Properties{}})
		c.end()
		c.link.closeByBroker(1000)
		return
	}
	s := b.sessions[p.ClientID]
	present := s != nil && !p.CleanStart && (s.conn != nil || s.expires > b.w.now)
	if s != nil && s.conn != nil {
		old := s.conn
		old.send(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{}})
		old.end()
		old.link.closeByBroker(1000)
	}
	if !present {
		s = &session{id: p.ClientID, filters: map[string]byte{}, received: map[uint16]string{}, seen: map[string]bool{}}
		b.sessions[p.ClientID] = s
	}
	s.conn, s.expires = c, 0
	c.session = s
	alias := uint16(b.w.rand.IntN(4))
	c.send(packets.CONNACK, &packets.Connack{SessionPresent: present, Properties: &packets.Properties{
		ReceiveMaximum: new(uint16(c.receiveMax)), TopicAliasMaximum: &alias,
	}})
	b.w.note("the broker accepts %s, session present: %v, receive maximum %d", p.ClientID, present, c.receiveMax)
	if b.cut > 0 {
		b.cut--
		c.link.cut()
	}
	for _, d := range s.inflight {
		c.deliver(d, true)
	}
	// Like mosquitto, the broker may repeat PUBREC for messages without PUBREL.
	for _, id := range slices.Sorted(maps.Keys(s.received)) {
		if b.w.chance(0.5) {
			c.send(packets.PUBREC, &packets.Pubrec{PacketID: id, Properties: &packets.Properties{}})
		}
	}
	c.sendQueued()
}

func (c *conn) publish(p *packets.Publish) {
	w, b, s := c.b.w, c.b, c.session
	topic := p.Topic
	if a := p.Properties.TopicAlias; a != nil {
		if c.aliases == nil {
			c.aliases = map[uint16]string{}
		}
		if topic == "" {
			topic = c.aliases[*a]
		}
		c.aliases[*a] = topic
	}
	payload := string(p.Payload)
	if topic == "" || !strings.HasPrefix(payload, topic+" ") {
		w.broken("the topic of %q is %q", payload, topic)
	}
	if p.QoS > 0 {
		if other, ok := c.unacked[p.PacketID]; ok {
			w.broken("packet identifier %d is used for %q while %q is unacknowledged", p.PacketID, payload, other)
		}
		if c.seen[payload] {
			w.broken("the client has sent %q twice on one connection", payload)
		}
		if s.seen[payload] && !p.Duplicate {
			w.broken("the client has sent %q again in one session without DUP", payload)
		}
		c.unacked[p.PacketID] = payload
		if len(c.unacked) > c.receiveMax {
			w.broken("%d messages are unacknowledged; the Receive Maximum is %d", len(c.unacked), c.receiveMax)
		}
		c.seen[payload], s.seen[payload] = true, true
	}
	known, duplicate := s.received[p.PacketID]
	duplicate = duplicate && p.QoS == 2
	if duplicate && known != payload {
		w.broken("packet identifier %d is used for %q while the QoS 2 flow of %q is open", p.PacketID, payload, known)
	}
	if !duplicate {
		if p.Retain {
			b.retained[topic] = retainedMessage{payload, p.QoS}
		}
		b.distribute(s.id, topic, payload, p.QoS)
	}
	switch p.QoS {
	case 1:
		c.later(func() {
			delete(c.unacked, p.PacketID)
			c.send(packets.PUBACK, &packets.Puback{PacketID: p.PacketID, Properties: &packets.Properties{}})
		})
	case 2:
		s.received[p.PacketID] = payload
		c.later(func() {
			c.send(packets.PUBREC, &packets.Pubrec{PacketID: p.PacketID, Properties: &packets.Properties{}})
		})
	}
}

// retained queues the retained messages that match a topic filter.
func (c *conn) retained(filter string, qos byte) {
	b := c.b
	for _, topic := range slices.Sorted(maps.Keys(b.retained)) {
		if m := b.retained[topic]; mqtt.Match(filter, topic) {
			b.lastName++
			c.session.queue = append(c.session.queue, &delivery{name: fmt.Sprintf("d%d", b.lastName), topic: topic, payload: m.payload, qos: min(m.qos, qos), retain: true})
		}
	}
	c.sendQueued()
}

// sendQueued sends queued deliveries while fewer than 50 are unacknowledged.
func (c *conn) sendQueued() {
	s := c.session
	for len(s.queue) > 0 && len(s.inflight) < 50 {
		d := s.queue[0]
		s.queue = s.queue[1:]
		if d.qos > 0 {
			for d.id == 0 || slices.ContainsFunc(s.inflight, func(o *delivery) bool { return o.id == d.id }) {
				s.nextID++
				d.id = s.nextID
			}
			s.inflight = append(s.inflight, d)
		}
		c.deliver(d, false)
	}
}

// deliver sends a delivery. resend is true if the broker has sent it on an earlier connection.
func (c *conn) deliver(d *delivery, resend bool) {
	d.resent = d.resent || resend
	if d.released {
		c.send(packets.PUBREL, &packets.Pubrel{PacketID: d.id, Properties: &packets.Properties{}})
		return
	}
	payload, ok := c.b.payloads[d.name]
	if !ok {
		payload = d.payload
		if c.b.w.chance(0.1) { // the engine may skip the end of a long payload
			payload += strings.Repeat("x", 7000+c.b.w.rand.IntN(4000))
		}
		c.b.payloads[d.name] = payload
	}
	c.send(packets.PUBLISH, &packets.Publish{
		Topic: d.topic, Payload: []byte(payload), QoS: d.qos, PacketID: d.id, Duplicate: resend && d.qos > 0, Retain: d.retain,
		Properties: &packets.Properties{User: []packets.User{{Key: "delivery", Value: d.name}}},
	})
}

// acknowledged handles PUBACK, or PUBREC if rec is true.
func (c *conn) acknowledged(id uint16, rec bool) {
	s := c.session
	for i, d := range s.inflight {
		if d.id != id {
			continue
		}
		if (d.qos == 2) != rec {
			c.b.w.broken("the client acknowledges a message of QoS %d with the wrong packet", d.qos)
		}
		// Before the client has received a CONNACK of the new session, it may treat a resent
		// QoS 2 message as a duplicate of a message of the previous session. The client then
		// acknowledges the message without delivering it.
		if s.confirmed || d.qos < 2 || !d.resent {
			c.b.acked(s.id, d.name)
		}
		if rec {
			d.released = true
			c.send(packets.PUBREL, &packets.Pubrel{PacketID: id, Properties: &packets.Properties{}})
		} else {
			s.inflight = slices.Delete(s.inflight, i, i+1)
		}
		c.sendQueued()
		return
	}
	if rec {
		c.send(packets.PUBREL, &packets.Pubrel{PacketID: id, ReasonCode: 0x92, Properties: &packets.Properties{}})
	}
}
