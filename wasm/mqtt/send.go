package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outgoing is a message to publish. Its slices are copied where they are needed
// beyond the call. Properties are encoded as in a PUBLISH, without
// their length, and contain no topic alias: the engine assigns aliases.
type Outgoing struct {
	Token      Token
	Topic      []byte
	Properties []byte
	Payload    []byte
	QoS        byte
	Retain     bool
}

// Why the server would not take a message, from its CONNACK (section 3.2.2.3).
var (
	ErrQoSNotGranted    = errors.New("the server does not grant this QoS")
	ErrRetainNotGranted = errors.New("the server does not keep retained messages")
	ErrTooLarge         = errors.New("the packet would be larger than the server accepts")
	ErrOffline          = errors.New("there is no connection")
	ErrNoPacketID       = errors.New("all 65,535 packet identifiers are in use")
)

// CheckOutgoing reports what makes m a message that no server may be sent, or
// nil.
func CheckOutgoing(m *Outgoing) error {
	if err := ValidTopic(m.Topic); err != nil {
		return err
	}
	if m.QoS > 2 {
		return fmt.Errorf("QoS is %d; it must be 0, 1 or 2", m.QoS)
	}
	if err := checkProperties(typePublish, m.Properties); err != nil {
		return errors.New(err.Detail)
	}
	for p, rest, ok := NextProperty(m.Properties); ok; p, rest, ok = NextProperty(rest) {
		if p.ID == TopicAlias || p.ID == SubscriptionIdentifier { // the one is ours to set, the other a server's [MQTT-3.3.4-6]
			return fmt.Errorf("property %d is not for the caller to set", p.ID)
		}
	}
	if n := publishLen(m.Topic, m.Properties, m.Payload, m.QoS, 0); n > maxVarint {
		return ErrTooLarge
	}
	return nil
}

// Publish takes a message that CheckOutgoing has passed. At QoS 0 it reports
// true when the message is in Output already; otherwise the Handler hears of it
// later, once. An error means that it was not taken.
func (e *Engine) Publish(now time.Duration, m *Outgoing) (done bool, err error) {
	e.now = now
	if e.state == connected {
		if err := e.refuses(m); err != nil {
			return false, err
		}
		if m.QoS == 0 && e.queue.qos0 == 0 && len(e.bulk) < maxBulk && e.passes(m) {
			e.bulk = e.appendAliased(e.bulk, m.Topic, m.Properties, m.Payload, 0, m.Retain, false, 0)
			return true, nil
		}
	}
	o := e.alloc()
	o.token, o.qos, o.retain = m.Token, m.QoS, m.Retain
	o.buf = append(append(append(o.buf[:0], m.Topic...), m.Properties...), m.Payload...)
	o.t, o.p = len(m.Topic), len(m.Topic)+len(m.Properties)
	e.queue.push(o)
	e.pump()
	return false, nil
}

// refuses holds m against what the server granted [MQTT-3.2.2-11]
// [MQTT-3.2.2-14] [MQTT-3.2.2-15].
func (e *Engine) refuses(m *Outgoing) error {
	g := &e.granted
	switch {
	case m.QoS > g.MaximumQoS:
		return ErrQoSNotGranted
	case m.Retain && !g.RetainAvailable:
		return ErrRetainNotGranted
	}
	alias := uint16(0)
	if e.aliasOut.max > 0 {
		alias = 1 // together with the topic: the longest form
	}
	n := publishLen(m.Topic, m.Properties, m.Payload, m.QoS, alias)
	if n > maxVarint || uint64(1+varintLen(n)+n) > uint64(g.MaximumPacketSize) {
		return ErrTooLarge
	}
	return nil
}

func (o *outgoing) message() Outgoing {
	return Outgoing{Token: o.token, Topic: o.topic(), Properties: o.props(), Payload: o.payload(), QoS: o.qos, Retain: o.retain}
}

// pump sends what waits, as far as the server's Receive Maximum allows
// [MQTT-4.9.0-2]: first what an earlier connection left, then the queue.
func (e *Engine) pump() {
	if e.state != connected {
		return
	}
	quota := int(e.granted.ReceiveMaximum)
	for len(e.again) > 0 && e.onWire < quota && len(e.bulk) < maxBulk {
		o := e.again[0]
		m := o.message()
		if o.state == resend && e.refuses(&m) == nil && !e.passes(&m) {
			return
		}
		e.again[0] = nil
		e.again = e.again[1:]
		if o.state == rerelease {
			e.onWire++
			o.state = released
			e.sendPubrel(o)
			continue
		}
		if err := e.refuses(&m); err != nil { // what this connection grants may be less
			e.landed(o)
			e.settle(o, err)
			continue
		}
		e.onWire++
		o.state = sent
		e.bulk = e.appendAliased(e.bulk, m.Topic, m.Properties, m.Payload, o.qos, o.retain, true, o.id)
		e.queued(o)
	}
	for o := e.queue.peek(); o != nil && len(e.again) == 0 && len(e.bulk) < maxBulk; o = e.queue.peek() {
		m := o.message()
		if err := e.refuses(&m); err != nil {
			e.queue.pop()
			e.settle(o, err)
			continue
		}
		if o.qos == 0 {
			if !e.passes(&m) {
				return
			}
			e.queue.pop()
			e.bulk = e.appendAliased(e.bulk, m.Topic, m.Properties, m.Payload, 0, m.Retain, false, 0)
			e.leaving = append(e.leaving, leaving{o.token, e.taken + uint64(len(e.bulk))})
			e.release(o)
			continue
		}
		if e.onWire >= quota || !e.passes(&m) {
			return
		}
		id, ok := e.newID()
		if !ok {
			return
		}
		e.queue.pop()
		e.nextSeq++
		o.id, o.seq, o.state = id, e.nextSeq, sent
		e.inflight[id] = o
		e.inflightBytes += len(o.buf)
		e.onWire++
		e.roundTrip.asked(id)
		e.bulk = e.appendAliased(e.bulk, m.Topic, m.Properties, m.Payload, o.qos, o.retain, false, id)
		e.queued(o)
	}
}

// ackIn takes an answer to a PUBLISH or PUBREL of ours, or the server's PUBREL.
// Answers to what is not in flight are passed over: they carry no news.
func (e *Engine) ackIn(t packetType, a ack) *connectionError {
	if t == typePubrel {
		e.pubrelIn(a)
		return nil
	}
	o := e.inflight[a.id]
	if t == typePubrec && !a.reason.Failed() && o != nil && o.qos == 2 && (o.state == resend || o.state == rerelease) {
		// The server repeats what it answered on an earlier connection, before this
		// message has had its turn to be sent again.
		e.again = slices.DeleteFunc(e.again, func(other *outgoing) bool { return other == o })
		e.onWire++
		if o.state == resend {
			o.state = sent
		} else {
			o.state = released
		}
	}
	if o == nil || o.state == resend || o.state == rerelease {
		switch {
		case t == typePubcomp, t == typePubrec && a.reason.Failed():
			delete(e.orphans, a.id)
		case t == typePubrec && e.orphans[a.id]: // its PUBREL is on its way
		case t == typePubrec:
			e.answer(typePubrel, a.id, PacketIDNotFound)
		}
		return nil
	}
	if (t == typePuback) != (o.qos == 1) {
		return violation(ProtocolError, "%v for a message of QoS %d", t, o.qos)
	}
	e.roundTrip.answered(a.id, e.lastReceived)
	e.timeouts.answered = e.now
	if t == typePubrec && !a.reason.Failed() {
		if a.reason != Success || len(a.props) > 0 {
			o.rec = new(resultOf(a))
		}
		if o.state == sent { // of a second PUBREC the order counts for nothing
			e.nextSeq++
			o.seq = e.nextSeq
		}
		o.state = released // [MQTT-4.3.3-4]
		e.sendPubrel(o)
		return nil
	}
	if t == typePubcomp && o.state != released {
		return violation(ProtocolError, "PUBCOMP before PUBREL")
	}
	r := PublishResult{} // to a PUBREL, "packet identifier not found" says that it was delivered before
	if t != typePubcomp {
		r = resultOf(a)
	} else if o.rec != nil {
		r = *o.rec
	}
	e.landed(o)
	e.onWire--
	e.handler.Published(o.token, r)
	e.release(o)
	e.pump()
	return nil
}

// sendPubrel sends the PUBREL of a QoS 2 message. It must not overtake the PUBLISH,
// which a server that repeats a PUBREC may answer before it has left, nor a PUBREL
// before it [MQTT-4.6.0-4].
func (e *Engine) sendPubrel(o *outgoing) {
	if o.end > e.taken || e.pubrelEnd > e.taken {
		e.bulk = appendAck(e.bulk, typePubrel, o.id, Success)
		e.pubrelEnd = e.taken + uint64(len(e.bulk))
	} else {
		e.answer(typePubrel, o.id, Success)
	}
	o.due = e.dueAt(e.now)
}

// queued: the PUBLISH of o is in the output.
func (e *Engine) queued(o *outgoing) {
	o.end = e.taken + uint64(len(e.bulk))
	o.due = e.dueAt(e.now)
}

// Subscribe sends a SUBSCRIBE for filters that are valid. It fails with
// ErrOffline without a connection.
func (e *Engine) Subscribe(now time.Duration, token Token, subs []Subscription, user []UserPair) error {
	return e.ask(now, control{token: token, answer: typeSuback, filters: len(subs)}, func(b []byte, id uint16) []byte {
		return appendSubscribe(b, id, subs, user)
	})
}

// Unsubscribe sends an UNSUBSCRIBE. It fails with ErrOffline without a
// connection.
func (e *Engine) Unsubscribe(now time.Duration, token Token, filters []string) error {
	return e.ask(now, control{token: token, answer: typeUnsuback, filters: len(filters)}, func(b []byte, id uint16) []byte {
		return appendUnsubscribe(b, id, filters)
	})
}

func (e *Engine) ask(now time.Duration, c control, encode func([]byte, uint16) []byte) error {
	if e.state != connected {
		return ErrOffline
	}
	last := e.lastID
	id, ok := e.newID()
	if !ok {
		return ErrNoPacketID
	}
	before := len(e.bulk)
	e.bulk = encode(e.bulk, id)
	if uint64(len(e.bulk)-before) > uint64(e.granted.MaximumPacketSize) {
		e.bulk, e.lastID = e.bulk[:before], last
		return ErrTooLarge
	}
	c.due = e.dueAt(now)
	e.control[id] = c
	e.roundTrip.asked(id)
	return nil
}

// Ping sends a PINGREQ now, and gives the server that long to say anything,
// unless one is on its way that has less time left.
func (e *Engine) Ping(now, timeout time.Duration) {
	timeout += transit(e.unheard) // which the network has to carry first
	if e.state == connected && (!e.pinging || e.pingAt+e.pingTimeout > now+timeout) {
		e.prompt = appendPingreq(e.prompt)
		e.pinging, e.pingAt, e.pingTimeout, e.pingGrace = true, now, timeout, 0
	}
}
