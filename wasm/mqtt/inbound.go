package mqtt

import (
	"fmt"
	"math"
	"slices"
)

// receiveConnack processes the CONNACK: it starts the connection, or reports that the
// server refuses it.
func (e *Engine) receiveConnack(body []byte) *connectionFault {
	ack, err := decodeConnack(body, &e.options)
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
	// Contrary to [MQTT-3.2.2-4], the engine accepts a present session although it has no
	// session state. The same page may have used the session before a reload.
	if ack.MaximumPacketSize < minPacketSize {
		// The engine sends no DISCONNECT, because one with a reason code might be larger
		// than the server accepts [MQTT-3.2.2-15].
		e.stop(&StopError{Reason: PacketTooLarge, Local: true, Detail: fmt.Sprintf(
			"the server's maximum packet size is %d; acknowledgements have %d bytes", ack.MaximumPacketSize, minPacketSize)})
		return nil
	}
	ack.SameSession = ack.SessionPresent && !e.sessionUncertain
	e.sessionUncertain = false
	e.granted = *ack
	e.state = connected
	e.outboundAliases.reset(ack.TopicAliasMaximum)
	if !ack.SessionPresent {
		clear(e.abandonedIDs)
		e.discardSession()
	} else {
		e.resume()
		if !ack.SameSession {
			e.uncertainBefore = e.generation
			e.failUncertainQoS2()
		}
		e.releaseAbandoned()
	}
	e.handler.Connected(ack)
	e.pump()
	return nil
}

// resolveTopic sets the topic of a received message that has only a topic alias. It
// stores the topic of a message that has both.
func (e *Engine) resolveTopic(m *Publish) *connectionFault {
	if m.alias == 0 {
		return nil
	}
	if int(m.alias) >= len(e.inboundAliases) {
		return violation(TopicAliasInvalid, "topic alias %d; the maximum is %d", m.alias, len(e.inboundAliases)-1) // [MQTT-3.1.2-26]
	}
	if len(m.Topic) > 0 {
		e.inboundAliases[m.alias] = append(e.inboundAliases[m.alias][:0], m.Topic...)
		return nil
	}
	if m.Topic = e.inboundAliases[m.alias]; len(m.Topic) == 0 {
		return violation(ProtocolError, "topic alias %d has no topic", m.alias)
	}
	m.TopicHash, _ = scanTopic(m.Topic)
	return nil
}

// receivePublish delivers a received message, unless it is a duplicate, and
// acknowledges it.
func (e *Engine) receivePublish(m *Publish) *connectionFault {
	if m.QoS == 0 {
		e.handler.Message(m)
		return nil
	}
	duplicate, counts := false, true // counts: the message counts against the client's Receive Maximum
	if m.QoS == 2 {
		var seen uint32
		if seen, duplicate = e.receivedQoS2[m.packetID]; duplicate {
			counts = seen != e.generation
			// If the entry may belong to another session, only DUP shows that the server
			// has sent this message before [MQTT-3.3.1-1].
			duplicate = seen >= e.uncertainBefore || m.Duplicate
		}
	}
	if counts {
		if e.unacked >= e.receiveMaximum() {
			return violation(ReceiveMaximumExceeded, "more than %d unacknowledged messages", e.receiveMaximum()) // [MQTT-3.3.4-9]
		}
		e.unacked++
	}
	switch {
	case !duplicate:
		e.deliver(m)
	case e.acks.repeats(m.packetID): // its acknowledgement waits already
	case len(e.acks.list) > 0: // earlier messages are acknowledged first
		e.acks.list = append(e.acks.list, pendingAck{m.packetID, 2, true})
	default: // [MQTT-4.3.3-10]
		e.acknowledgePublish(m.packetID, 2)
	}
	if duplicate {
		e.receivedQoS2[m.packetID] = e.generation
	}
	return e.checkAckBacklog()
}

func (e *Engine) receiveMaximum() int {
	if e.options.ReceiveMaximum == 0 {
		return math.MaxUint16
	}
	return int(e.options.ReceiveMaximum)
}

// receivePubrel completes the delivery of a received QoS 2 message
// [MQTT-4.3.3-11].
func (e *Engine) receivePubrel(a ack) {
	r := PacketIDNotFound
	if seen, ok := e.receivedQoS2[a.id]; ok {
		r = Success
		delete(e.receivedQoS2, a.id)
		if seen == e.generation {
			e.ackedInOutput++
		}
	}
	e.queueAck(typePubcomp, a.id, r)
}

// receiveAck processes a PUBACK, PUBREC, PUBREL or PUBCOMP. It ignores a PUBACK or
// PUBCOMP for a message that is not in flight.
func (e *Engine) receiveAck(t packetType, a ack) *connectionFault {
	if t == typePubrel {
		e.receivePubrel(a)
		return nil
	}
	p := e.inflight[a.id]
	if t == typePubrec && !a.reason.Failed() && p != nil && p.qos == 2 && p.toResend() {
		// The server has sent its PUBREC of an earlier connection again, and the engine
		// has not retransmitted the message yet. A retransmission is no longer necessary.
		e.resends = slices.DeleteFunc(e.resends, func(other *pendingPublish) bool { return other == p })
		e.quotaUsed++
		if p.state == stateResendPublish {
			p.state = statePublishSent
		} else {
			p.state = statePubrelSent
		}
	}
	if p == nil || p.toResend() {
		switch {
		case t == typePubcomp, t == typePubrec && a.reason.Failed():
			delete(e.abandonedIDs, a.id)
		case t == typePubrec && e.abandonedIDs[a.id]: // releaseAbandoned has sent the PUBREL
		case t == typePubrec:
			e.queueAck(typePubrel, a.id, PacketIDNotFound)
		}
		return nil
	}
	if (t == typePuback) != (p.qos == 1) {
		return violation(ProtocolError, "%v for a message of QoS %d", t, p.qos)
	}
	e.roundTrip.acknowledged(a.id, e.lastReceived)
	e.timeouts.lastAck = e.now
	if t == typePubrec && !a.reason.Failed() {
		if a.reason != Success || len(a.props) > 0 {
			p.pubrecResult = new(resultOf(a))
		}
		if p.state == statePublishSent { // a second PUBREC does not change the order
			e.nextSeq++
			p.seq = e.nextSeq
		}
		p.state = statePubrelSent // [MQTT-4.3.3-4]
		e.sendPubrel(p)
		return nil
	}
	if t == typePubcomp && p.state != statePubrelSent {
		return violation(ProtocolError, "PUBCOMP before PUBREL")
	}
	// A PUBCOMP with "packet identifier not found" is a success: the server completed
	// the delivery earlier.
	r := PublishResult{}
	if t != typePubcomp {
		r = resultOf(a)
	} else if p.pubrecResult != nil {
		r = *p.pubrecResult
	}
	e.removeInflight(p)
	e.quotaUsed--
	e.handler.Published(p.token, r)
	e.recycle(p)
	e.pump()
	return nil
}

// receiveSuback processes a SUBACK or UNSUBACK.
func (e *Engine) receiveSuback(t packetType, body []byte) *connectionFault {
	id, codes, reason, err := decodeSuback(t, body)
	if err != nil {
		return err
	}
	r, ok := e.requests[id]
	if !ok || r.ackType != t {
		return violation(ProtocolError, "%v for unknown packet identifier %d", t, id) // [MQTT-2.2.1-6]
	}
	if len(codes) != r.filterCount {
		return violation(ProtocolError, "%v with %d reason codes for %d filters", t, len(codes), r.filterCount) // [MQTT-3.8.4-6]
	}
	delete(e.requests, id)
	e.roundTrip.acknowledged(id, e.lastReceived)
	e.timeouts.lastAck = e.now
	if t == typeSuback {
		e.handler.Subscribed(r.token, codes, reason, nil)
	} else {
		e.handler.Unsubscribed(r.token, codes, reason, nil)
	}
	return nil
}

// resultOf returns the reason code, reason string and user properties of an
// acknowledgement.
func resultOf(a ack) PublishResult {
	r := PublishResult{Reason: a.reason}
	for rest := a.props; len(rest) > 0; {
		var p Property
		p, rest, _ = decodeProperty(rest)
		if p.ID == UserProperty {
			r.User = append(r.User, UserPair{string(p.Data), string(p.Value)})
		} else {
			r.ReasonString = string(p.Data)
		}
	}
	return r
}
