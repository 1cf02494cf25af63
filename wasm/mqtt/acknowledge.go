package mqtt

import "slices"

// pendingAck is the acknowledgement of a received message that has not been
// acknowledged yet.
type pendingAck struct {
	id    uint16
	qos   byte
	ready bool // the Handler or a call of Acknowledge has accepted the message
}

// ackQueue keeps PUBACKs and PUBRECs in the order in which the messages arrived
// [MQTT-4.6.0-2] [MQTT-4.6.0-3]. A message that the Handler has not accepted delays
// the acknowledgements of all later messages. The end of the connection empties the
// queue. The client's Receive Maximum bounds the number of entries: each belongs to
// another message.
type ackQueue struct {
	list        []pendingAck
	firstTicket uint32 // the ticket of list[0]
}

func (a *ackQueue) reset() {
	a.firstTicket += uint32(len(a.list))
	a.list = a.list[:0]
}

// repeats reports whether the PUBREC of a message with this packet identifier waits.
func (a *ackQueue) repeats(id uint16) bool {
	return slices.Contains(a.list, pendingAck{id, 2, true})
}

// deliver passes a received message of QoS 1 or 2 to the Handler. It acknowledges
// the message when the Handler has accepted it and all messages before it have been
// acknowledged.
func (e *Engine) deliver(m *Publish) {
	m.Ticket = e.acks.firstTicket + uint32(len(e.acks.list))
	e.acks.list = append(e.acks.list, pendingAck{m.packetID, m.QoS, false})
	if e.handler.Message(m) {
		e.markReady(len(e.acks.list) - 1)
	}
}

// Acknowledge accepts the message with this ticket, for which [Handler.Message]
// returned false. The engine then acknowledges the message, after all earlier
// messages. Tickets of earlier connections have no effect, because the server sends
// those messages again.
func (e *Engine) Acknowledge(ticket uint32) {
	if i := int(int32(ticket - e.acks.firstTicket)); i >= 0 && i < len(e.acks.list) {
		e.markReady(i)
	}
}

// markReady marks the message at index i of the list as accepted, and acknowledges
// the accepted messages at the start of the list.
func (e *Engine) markReady(i int) {
	a := &e.acks
	a.list[i].ready = true
	if a.list[i].qos == 2 {
		// From now on, a retransmission of this message is a duplicate.
		e.receivedQoS2[a.list[i].id] = e.generation
	}
	n := 0
	for ; n < len(a.list) && a.list[n].ready; n++ {
		e.acknowledgePublish(a.list[n].id, a.list[n].qos)
	}
	a.firstTicket += uint32(n)
	a.list = a.list[:copy(a.list, a.list[n:])]
}

// acknowledgePublish queues the PUBACK or PUBREC of a received message.
func (e *Engine) acknowledgePublish(id uint16, qos byte) {
	if qos == 1 {
		e.queueAck(typePuback, id, Success)
		e.ackedInOutput++
		return
	}
	e.queueAck(typePubrec, id, Success)
}
