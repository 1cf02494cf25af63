package mqtt

import (
	"fmt"
	"math"
	"time"
)

const (
	// maxControl is the largest packet other than PUBLISH that is taken, in bytes.
	// Nothing but user properties makes one large.
	maxControl = 512 << 10
	// maxProperties is the largest property section that is taken, in bytes, and
	// maxRepeats how often a property that may be repeated is. Each user property
	// becomes two JavaScript strings.
	maxProperties = 1 << 20
	maxRepeats    = 1000
	// leastPacket is the size of an acknowledgement with a reason code.
	leastPacket = 5
)

// Receive takes bytes that have come from the server: any number of packets, cut
// anywhere. Memory is taken for bytes that came, never for a length that was
// only announced.
func (e *Engine) Receive(now time.Duration, data []byte) {
	if e.state == offline || e.state == stopped {
		return
	}
	e.now, e.lastReceived, e.unreceived = now, now, false
	e.heardServer()
	if len(e.partly) == 0 && cap(e.whole) <= 1<<16 {
		e.partly = e.whole[:0]
	}
	e.whole = nil
	for len(data) > 0 && e.state != stopped {
		if len(e.partly) > 0 {
			data = e.complete(data)
			continue
		}
		size, err := e.packetSize(data)
		if err != nil {
			e.fail(err)
			return
		}
		if size == 0 || size > len(data) {
			e.partly = append(e.partly, data...)
			return
		}
		e.packet(data[:size:size])
		data = data[size:]
	}
}

// complete moves to e.partly what it lacks of its packet, and takes the packet
// when that is whole.
func (e *Engine) complete(data []byte) (rest []byte) {
	size, err := e.packetSize(e.partly)
	for err == nil && size == 0 && len(data) > 0 {
		e.partly, data = append(e.partly, data[0]), data[1:]
		size, err = e.packetSize(e.partly)
	}
	if err != nil {
		e.fail(err)
		return nil
	}
	if size == 0 {
		return data
	}
	n := min(size-len(e.partly), len(data))
	if have := len(e.partly); have+n > cap(e.partly) {
		// append would grow by quarters, and leave five times the packet as garbage.
		e.partly = append(make([]byte, 0, min(size, max(2*have, have+n))), e.partly...)
	}
	e.partly, data = append(e.partly, data[:n]...), data[n:]
	if len(e.partly) == size {
		// Not to be written to before the next Receive: a Publish is a view of it.
		e.whole, e.partly = e.partly, nil
		e.packet(e.whole)
	}
	return data
}

// packetSize is the size of the packet that begins at b, 0 if b is too short to
// tell. What may not come is refused by its header alone.
func (e *Engine) packetSize(b []byte) (int, *connectionError) {
	t, flags := packetType(b[0]>>4), b[0]&15
	switch t {
	case typeConnack:
		if e.state == connected {
			return 0, violation(ProtocolError, "a second CONNACK")
		}
	case typePublish, typePuback, typePubrec, typePubrel, typePubcomp, typeSuback, typeUnsuback, typePingresp, typeDisconnect:
		if e.state == connecting {
			return 0, violation(ProtocolError, "%v before CONNACK", t) // [MQTT-3.2.0-1] [MQTT-3.14.0-1]
		}
	case typeAuth:
		return 0, violation(ProtocolError, "AUTH, though no authentication method was asked for") // [MQTT-4.12.0-6]
	case 0:
		return 0, malformed("packet type 0")
	default:
		return 0, violation(ProtocolError, "a server may not send %v", t)
	}
	want := byte(0)
	if t == typePubrel {
		want = 2
	}
	if t != typePublish && flags != want {
		return 0, malformed("%v with flags %#x", t, flags) // [MQTT-2.1.3-1]
	}
	n, used := readVarint(b[1:])
	if used < 0 {
		return 0, malformed("%v: remaining length", t)
	}
	if used == 0 {
		return 0, nil
	}
	size := 1 + used + int(n)
	if limit := e.options.MaximumPacketSize; limit != 0 && uint64(size) > uint64(limit) {
		return 0, violation(PacketTooLarge, "%v of %d bytes, where at most %d were allowed", t, size, limit)
	}
	if t != typePublish && size > maxControl {
		return 0, violation(QuotaExceeded, "%v of %d bytes; this client takes at most %d", t, size, maxControl)
	}
	return size, nil
}

// packet takes one whole packet.
func (e *Engine) packet(p []byte) {
	_, used := readVarint(p[1:])
	body := p[1+used:]
	var err *connectionError
	switch t := packetType(p[0] >> 4); t {
	case typePublish:
		if err = decodePublish(&e.input, p[0]&15, body); err == nil {
			e.input.Packet = p
			err = e.publishIn(&e.input)
		}
	case typePuback, typePubrec, typePubrel, typePubcomp:
		var a ack
		if a, err = decodeAck(t, body); err == nil {
			if err = e.ackIn(t, a); err == nil {
				err = e.tooManyAnswers()
			}
		}
	case typeConnack:
		err = e.connackIn(p, body)
	case typeSuback, typeUnsuback:
		err = e.subackIn(t, p, body)
	case typePingresp:
		if len(body) > 0 {
			err = malformed("PINGRESP with a body")
		}
		e.roundTrip.last = max(e.lastReceived-e.pingAt, 1)
	case typeDisconnect:
		var d *Disconnect
		if d, err = decodeDisconnect(p, body); err == nil {
			e.stop(&StopError{Reason: d.Reason, Detail: d.ReasonString})
		}
	}
	if err != nil {
		e.fail(err)
	}
}

func (e *Engine) connackIn(p, body []byte) *connectionError {
	ack, err := decodeConnack(p, body, &e.options)
	if err != nil {
		return err
	}
	if ack.Reason != Success {
		e.handler.Refused(ack)
		e.stop(&StopError{Reason: ack.Reason, Detail: ack.ReasonString})
		return nil
	}
	if ack.SessionPresent && e.options.CleanStart {
		return violation(ProtocolError, "session present after a clean start") // [MQTT-3.2.2-2]
	}
	// A session that this engine does not know is accepted, against [MQTT-3.2.2-4]:
	// it may be the one of this page before it was reloaded.
	if ack.MaximumPacketSize < leastPacket {
		// Not even a DISCONNECT with a reason might be sent [MQTT-3.2.2-15].
		e.stop(&StopError{Reason: PacketTooLarge, Local: true, Detail: fmt.Sprintf(
			"the server takes packets of at most %d bytes; acknowledgements need %d", ack.MaximumPacketSize, leastPacket)})
		return nil
	}
	ack.SameSession = ack.SessionPresent && !e.doubt
	e.doubt = false
	e.granted = *ack
	e.state = connected
	e.aliasOut.reset(ack.TopicAliasMaximum)
	if !ack.SessionPresent {
		clear(e.orphans)
		e.restart()
	} else {
		e.resume()
		if !ack.SameSession {
			e.suspect = e.generation
			e.giveUpQoS2()
		}
		e.releaseOrphans()
	}
	e.handler.Connected(ack)
	e.pump()
	return nil
}

// publishIn takes an arriving message, acknowledges it, and hands it on.
func (e *Engine) publishIn(m *Publish) *connectionError {
	if m.alias != 0 {
		if int(m.alias) >= len(e.aliasIn) {
			return violation(TopicAliasInvalid, "topic alias %d, where at most %d were allowed", m.alias, len(e.aliasIn)-1) // [MQTT-3.1.2-26]
		}
		if len(m.Topic) > 0 {
			e.aliasIn[m.alias] = append(e.aliasIn[m.alias][:0], m.Topic...)
		} else if m.Topic = e.aliasIn[m.alias]; len(m.Topic) == 0 {
			return violation(ProtocolError, "topic alias %d, which was never set", m.alias)
		}
	}
	if m.QoS == 0 {
		e.handler.Message(m)
		return nil
	}
	again, isNew := false, true
	if m.QoS == 2 {
		var seen uint32
		if seen, again = e.received[m.packetID]; again {
			isNew = seen != e.generation
			// Of the session before, it would come with DUP [MQTT-3.3.1-1].
			again = seen >= e.suspect || m.Duplicate
		}
	}
	if isNew {
		if e.unacked >= e.receiveMaximum() {
			return violation(ReceiveMaximumExceeded, "more than %d messages unacknowledged", e.receiveMaximum()) // [MQTT-3.3.4-9]
		}
		e.unacked++
	}
	switch {
	case !again:
		e.handOn(m)
	case len(e.acks.list) > 0: // in its turn
		e.acks.list = append(e.acks.list, pendingAck{m.packetID, 2, true})
	default: // handed on before [MQTT-4.3.3-10]
		e.acknowledge(m.packetID, 2)
	}
	if again {
		e.received[m.packetID] = e.generation
	}
	return e.tooManyAnswers()
}

func (e *Engine) receiveMaximum() int {
	if e.options.ReceiveMaximum == 0 {
		return math.MaxUint16
	}
	return int(e.options.ReceiveMaximum)
}

// pubrelIn ends the arrival of a QoS 2 message [MQTT-4.3.3-11].
func (e *Engine) pubrelIn(a ack) {
	r := PacketIDNotFound
	if seen, ok := e.received[a.id]; ok {
		r = Success
		delete(e.received, a.id)
		if seen == e.generation {
			e.acking++
		}
	}
	e.answer(typePubcomp, a.id, r)
}

func (e *Engine) subackIn(t packetType, p, body []byte) *connectionError {
	id, codes, reason, err := decodeSuback(t, p, body)
	if err != nil {
		return err
	}
	c, ok := e.control[id]
	if !ok || c.answer != t {
		return violation(ProtocolError, "%v for packet identifier %d, which waits for none", t, id) // [MQTT-2.2.1-6]
	}
	if len(codes) != c.filters {
		return violation(ProtocolError, "%v with %d reason codes for %d filters", t, len(codes), c.filters) // [MQTT-3.8.4-6]
	}
	delete(e.control, id)
	e.roundTrip.answered(id, e.lastReceived)
	e.timeouts.answered = e.now
	if t == typeSuback {
		e.handler.Subscribed(c.token, codes, reason, nil)
	} else {
		e.handler.Unsubscribed(c.token, codes, reason, nil)
	}
	return nil
}

// resultOf collects the user properties and reason string of an
// acknowledgement.
func resultOf(a ack) PublishResult {
	r := PublishResult{Reason: a.reason}
	for rest := a.props; len(rest) > 0; {
		var p Property
		p, rest, _ = nextProperty(rest)
		if p.ID == UserProperty {
			r.User = append(r.User, UserPair{string(p.Data), string(p.Value)})
		} else {
			r.ReasonString = string(p.Data)
		}
	}
	return r
}
