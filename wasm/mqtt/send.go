package mqtt

import (
	"errors"
	"fmt"
	"time"
)

// Outgoing is a message to publish. [CheckOutgoing] checks it.
type Outgoing struct {
	Token      Token
	Topic      []byte
	Properties []byte // encoded as in a PUBLISH, without their length and without a topic alias
	Payload    []byte
	QoS        byte
	Retain     bool
}

// Errors of Publish, Subscribe and Unsubscribe. ErrQoSNotGranted, ErrRetainNotGranted
// and ErrTooLarge refer to limits in the CONNACK (section 3.2.2.3).
var (
	ErrQoSNotGranted    = errors.New("the server does not support this QoS")
	ErrRetainNotGranted = errors.New("the server does not support retained messages")
	ErrTooLarge         = errors.New("the packet would be larger than the server accepts")
	errOffline          = errors.New("there is no connection")
	errNoPacketID       = errors.New("all 65,535 packet identifiers are in use")
)

// CheckOutgoing returns an error if m is invalid for every server: its topic is
// invalid, its QoS is above 2, its properties are invalid or contain a topic alias or
// a subscription identifier, or it is larger than a packet can be.
func CheckOutgoing(m *Outgoing) error {
	if err := ValidTopic(m.Topic); err != nil {
		return err
	}
	if m.QoS > 2 {
		return fmt.Errorf("qos is %d; it must be 0, 1 or 2", m.QoS)
	}
	if err := checkProperties(typePublish, m.Properties); err != nil {
		return errors.New(err.Detail)
	}
	for p, rest, ok := NextProperty(m.Properties); ok; p, rest, ok = NextProperty(rest) {
		// The engine sets topic aliases. A client must not send subscription
		// identifiers [MQTT-3.3.4-6].
		if p.ID == TopicAlias || p.ID == SubscriptionIdentifier {
			return fmt.Errorf("property %d must not be set by the caller", p.ID)
		}
	}
	if n := publishLen(m.Topic, m.Properties, m.Payload, m.QoS, 0); n > maxVarint {
		return ErrTooLarge
	}
	return nil
}

// Publish sends or queues a message that CheckOutgoing accepts. done is true when a
// message of QoS 0 is in the output; the engine then reports no result. Otherwise it
// reports the result later, by Handler.Sent at QoS 0 and by Handler.Published at QoS
// 1 and 2. An error means that the message exceeds a limit of the server and was not
// accepted. Publish does not retain the slices of m.
func (e *Engine) Publish(now time.Duration, m *Outgoing) (done bool, err error) {
	e.now = now
	if e.state == connected {
		if err := e.checkGranted(m); err != nil {
			return false, err
		}
		if m.QoS == 0 && e.queue.qos0Count == 0 && len(e.bulk) < maxBulk && e.gateAllows(m) {
			e.bulk = e.appendWithAlias(e.bulk, m.Topic, m.Properties, m.Payload, 0, m.Retain, false, 0)
			return true, nil
		}
	}
	p := e.allocPublish()
	p.token, p.qos, p.retain = m.Token, m.QoS, m.Retain
	p.buf = append(append(append(p.buf[:0], m.Topic...), m.Properties...), m.Payload...)
	p.topicEnd, p.propsEnd = len(m.Topic), len(m.Topic)+len(m.Properties)
	e.queue.push(p)
	e.pump()
	return false, nil
}

// checkGranted checks m against the limits of the server [MQTT-3.2.2-11]
// [MQTT-3.2.2-14] [MQTT-3.2.2-15].
func (e *Engine) checkGranted(m *Outgoing) error {
	g := &e.granted
	switch {
	case m.QoS > g.MaximumQoS:
		return ErrQoSNotGranted
	case m.Retain && !g.RetainAvailable:
		return ErrRetainNotGranted
	}
	alias := uint16(0)
	if e.outboundAliases.max > 0 {
		alias = 1 // the packet is largest with both a topic and an alias
	}
	n := publishLen(m.Topic, m.Properties, m.Payload, m.QoS, alias)
	if n > maxVarint || uint64(1+varintLen(n)+n) > uint64(g.MaximumPacketSize) {
		return ErrTooLarge
	}
	return nil
}

// pump sends messages as far as the server's Receive Maximum [MQTT-4.9.0-2], the
// output and the gate allow. It first sends the messages that were in flight on an
// earlier connection, and then queued messages.
func (e *Engine) pump() {
	if e.state == connected {
		e.pumpResends()
		e.pumpQueue()
	}
}

// pumpResends retransmits the messages that were in flight when the previous
// connection ended.
func (e *Engine) pumpResends() {
	quota := int(e.granted.ReceiveMaximum)
	for len(e.resends) > 0 && e.quotaUsed < quota && len(e.bulk) < maxBulk {
		p := e.resends[0]
		m := p.message()
		err := e.checkGranted(&m) // this connection may have lower limits
		if p.state == stateResendPublish && err == nil && !e.gateAllows(&m) {
			return
		}
		e.resends[0] = nil
		e.resends = e.resends[1:]
		switch {
		case p.state == stateResendPubrel:
			e.quotaUsed++
			p.state = statePubrelSent
			e.sendPubrel(p)
		case err != nil:
			e.removeInflight(p)
			e.settle(p, err)
		default:
			e.quotaUsed++
			p.state = statePublishSent
			e.bulk = e.appendWithAlias(e.bulk, m.Topic, m.Properties, m.Payload, p.qos, p.retain, true, p.id)
			e.trackPublish(p)
		}
	}
}

// pumpQueue sends queued messages, once all messages of the previous connection
// have been retransmitted.
func (e *Engine) pumpQueue() {
	for p := e.queue.peek(); p != nil && len(e.resends) == 0 && len(e.bulk) < maxBulk; p = e.queue.peek() {
		m := p.message()
		if err := e.checkGranted(&m); err != nil {
			e.queue.pop()
			e.settle(p, err)
			continue
		}
		if p.qos == 0 {
			if !e.gateAllows(&m) {
				return
			}
			e.queue.pop()
			e.bulk = e.appendWithAlias(e.bulk, m.Topic, m.Properties, m.Payload, 0, m.Retain, false, 0)
			e.qos0Sends = append(e.qos0Sends, qos0Send{p.token, e.bulkSent + uint64(len(e.bulk))})
			e.recycle(p)
			continue
		}
		if e.quotaUsed >= int(e.granted.ReceiveMaximum) || !e.gateAllows(&m) {
			return
		}
		id, ok := e.newPacketID()
		if !ok {
			return
		}
		e.queue.pop()
		e.nextSeq++
		p.id, p.seq, p.state = id, e.nextSeq, statePublishSent
		e.inflight[id] = p
		e.inflightBytes += len(p.buf)
		e.quotaUsed++
		e.roundTrip.measure(id)
		e.bulk = e.appendWithAlias(e.bulk, m.Topic, m.Properties, m.Payload, p.qos, p.retain, false, id)
		e.trackPublish(p)
	}
}

// sendPubrel puts the PUBREL of a QoS 2 message into the output. It appends the PUBREL
// to bulk if bulk contains a packet that must be sent first: the PUBLISH of the
// message, or an earlier PUBREL [MQTT-4.6.0-4]. The PUBLISH may be in bulk when the
// server sends a PUBREC of an earlier connection again.
func (e *Engine) sendPubrel(p *pendingPublish) {
	if p.bulkEnd > e.bulkSent || e.pubrelEnd > e.bulkSent {
		e.bulk = appendAck(e.bulk, typePubrel, p.id, Success)
		e.pubrelEnd = e.bulkSent + uint64(len(e.bulk))
	} else {
		e.queueAck(typePubrel, p.id, Success)
	}
	p.due = e.dueAt(e.now)
}

// trackPublish records the position at which the PUBLISH of p ends in bulk, and when
// its acknowledgement is due. The PUBLISH must be the last packet in bulk.
func (e *Engine) trackPublish(p *pendingPublish) {
	p.bulkEnd = e.bulkSent + uint64(len(e.bulk))
	p.due = e.dueAt(e.now)
}
