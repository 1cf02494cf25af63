package broker

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"iot.wasm/internal/localiot/store"

	"github.com/mochi-mqtt/server/v2/packets"
)

// publish handles a PUBLISH from the client.
func (c *Conn) publish(pk *packets.Packet) error {
	b := c.broker
	topic, err := c.topicOf(pk)
	if err != nil {
		return err
	}
	if !c.withinRate() {
		return nil
	}
	qos := pk.FixedHeader.Qos
	if code, check := b.checkPublish(c.authorizer, topic, len(pk.Payload), pk.FixedHeader.Retain); code != packets.CodeSuccess {
		c.logRefusal(check, topic)
		c.refusePublish(pk, code)
		return nil
	}
	var g *gate
	switch qos {
	case 1:
		g = &gate{waiting: 1}
		c.reply(acknowledgement(packets.Puback, pk.PacketID, 0), g)
	case 2:
		known, err := c.receive(pk.PacketID)
		if err != nil {
			return err
		}
		g = &gate{waiting: 1}
		c.reply(acknowledgement(packets.Pubrec, pk.PacketID, 0), g)
		if known {
			c.open(g)
			return nil
		}
	}
	m := newMessage(topic, pk.Payload, qos, pk.FixedHeader.Retain, &pk.Properties)
	m.setExpiry(time.Now())
	m.publisher = c.info.ClientID
	b.logPublish(m.publisher, m)
	b.accept(m, c, func(changes []store.Change) { c.submit(changes, g) })
	if g != nil {
		c.open(g)
	}
	return nil
}

// topicOf returns the topic of a PUBLISH, which may be that of an alias. It stores the topic of an alias.
func (c *Conn) topicOf(pk *packets.Packet) (string, error) {
	alias := pk.Properties.TopicAlias
	switch {
	case alias == 0:
		return pk.TopicName, nil
	case pk.TopicName == "" && c.aliases[alias] == "":
		return "", packets.ErrProtocolViolationNoTopic // MQTT 5, 3.3.2.3.4
	case pk.TopicName == "":
		return c.aliases[alias], nil
	}
	c.aliases[alias] = strings.Clone(pk.TopicName) // does not keep the packet
	return pk.TopicName, nil
}

// refusePublish refuses a PUBLISH. It sends an acknowledgement with the reason code. If the PUBLISH has
// QoS 0 or the client uses MQTT 3.1.1, it closes the connection instead.
func (c *Conn) refusePublish(pk *packets.Packet, reason packets.Code) {
	kind := packets.Puback
	switch {
	case c.version < 5 || pk.FixedHeader.Qos == 0:
		cause := disconnectReason(reason)
		if reason == packets.ErrQuotaExceeded {
			cause = "CLIENT_ERROR" // for a payload that exceeds the limit ("Lifecycle events")
		}
		c.disconnect(reason, cause)
		return
	case pk.FixedHeader.Qos == 2:
		kind = packets.Pubrec
	}
	ack := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: kind},
		ProtocolVersion: 5,
		PacketID:        pk.PacketID,
		ReasonCode:      reason.Code,
		Properties:      packets.Properties{ReasonString: reason.Reason},
		Mods:            packets.Mods{DisallowProblemInfo: c.omitReasons},
	}
	c.reply(encode(&ack, (*packets.Packet).PubackEncode), nil)
}

// receive records the identifier of a QoS 2 message, and reports whether it was recorded before.
func (c *Conn) receive(id uint16) (known bool, err error) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	s := c.session
	switch {
	case s == nil || s.received[id]:
		return true, nil
	case len(s.received) >= receiveMaximum:
		return false, packets.ErrReceiveMaximum // [MQTT-3.3.4-7]
	}
	s.received[id] = true
	return false, nil
}

// release handles a PUBREL.
func (c *Conn) release(pk *packets.Packet) {
	b := c.broker
	b.mu.Lock()
	reason := packets.ErrPacketIdentifierNotFound.Code
	if s := c.session; s != nil && s.received[pk.PacketID] {
		delete(s.received, pk.PacketID)
		reason = 0
	}
	b.mu.Unlock()
	c.reply(acknowledgement(packets.Pubcomp, pk.PacketID, c.reasonFor5(reason)), nil)
}

// accept distributes a message that has passed all checks. If its topic is a request topic, the Service
// then handles it, and accept distributes the answers. requester is nil unless a client has sent the
// message. commit stores the changes; accept calls it while it holds b.mu.
func (b *Broker) accept(m *message, requester *Conn, commit func([]store.Change)) {
	service, isRequest := b.serviceOf(m.topic)
	if isRequest {
		// Subscribers receive the answers in the order of the requests.
		b.answers.Lock()
		defer b.answers.Unlock()
	}
	b.distribute(m, commit)
	if !isRequest {
		return
	}
	r := Request{Topic: m.topic, Payload: m.payload}
	if requester != nil {
		r.ClientID = requester.info.ClientID
	}
	for _, answer := range service.Handle(r) {
		// The documentation does not state the QoS of answers. With QoS 1, the subscription decides.
		m := newMessage(answer.Topic, answer.Payload, 1, false, nil)
		if answer.ToRequester {
			b.answer(requester, m)
		} else {
			b.distribute(m, b.storeLater)
		}
	}
}

// distribute calls route, and commits its changes.
func (b *Broker) distribute(m *message, commit func([]store.Change)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	commit(b.route(m))
}

// answer sends a message to the client of a request and to no other client. The client needs no
// subscription; if it has matching ones, they decide the QoS. answer does nothing if requester is nil, or if
// its connection has ended.
func (b *Broker) answer(requester *Conn, m *message) {
	if requester == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := requester.session
	if s == nil {
		return
	}
	d := &delivery{message: m, qos: m.qos}
	subscribed := false
	b.filters.match(m.topic, func(n *tree) {
		sub := n.subscriptions[s]
		if sub == nil {
			return
		}
		if !subscribed {
			subscribed, d.qos = true, 0
		}
		d.qos = max(d.qos, min(m.qos, sub.qos))
	})
	b.storeLater(b.deliver(s, d))
}

// route sends a message to all sessions with a matching subscription, and to one member of each matching
// group. A session with several matching subscriptions receives it once. Messages of Basic Ingest are not
// sent to anyone. The caller holds b.mu.
func (b *Broker) route(m *message) (changes []store.Change) {
	if strings.HasPrefix(m.topic, rulesPrefix) {
		return nil
	}
	if m.retain {
		changes = b.retain(m)
	}
	b.matching++
	var sessions []*session
	var groups []*group
	b.filters.match(m.topic, func(n *tree) {
		for s, sub := range n.subscriptions {
			if sub.noLocal && s.id == m.publisher {
				continue // [MQTT-3.8.3-3]
			}
			if s.matched != b.matching {
				s.matched = b.matching
				s.match = delivery{message: m}
				sessions = append(sessions, s)
			}
			s.match.qos = max(s.match.qos, min(m.qos, sub.qos))
			s.match.retain = s.match.retain || m.retain && sub.retainAsPublished
		}
		for _, g := range n.groups {
			groups = append(groups, g)
		}
	})
	for _, s := range sessions {
		d := s.match
		s.match = delivery{}
		changes = append(changes, b.deliver(s, &d)...)
	}
	for _, g := range groups {
		changes = append(changes, b.deliverToGroup(g, m)...)
	}
	return changes
}

// logPublish logs a message that the Broker accepts. client is "" for a message of a service.
func (b *Broker) logPublish(client string, m *message) {
	if b.log.Enabled(context.Background(), slog.LevelInfo) {
		b.log.Info("publish", "client", client, "topic", m.topic, "bytes", len(m.payload), "qos", m.qos, "retain", m.retain)
	}
}
