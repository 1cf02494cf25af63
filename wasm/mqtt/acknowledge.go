package mqtt

// pendingAck is the acknowledgement of a received message.
type pendingAck struct {
	id    uint16
	qos   byte
	ready bool // the message has been delivered or given up
}

// ackQueue keeps PUBACKs and PUBRECs in the order in which the messages arrived
// [MQTT-4.6.0-2] [MQTT-4.6.0-3]. A message without a recipient delays the
// acknowledgements behind it. The queue lasts as long as the connection, and the
// client's Receive Maximum bounds it.
type ackQueue struct {
	list        []pendingAck
	firstTicket uint32 // of list[0]
}

func (a *ackQueue) reset() {
	a.firstTicket += uint32(len(a.list))
	a.list = a.list[:0]
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

// Acknowledge acknowledges the message with this ticket, which [Handler.Message]
// did not accept: it has found a recipient by now, or the caller gives it up. The
// engine ignores tickets of earlier connections, as the server sends those
// messages again.
func (e *Engine) Acknowledge(ticket uint32) {
	if i := int(int32(ticket - e.acks.firstTicket)); i >= 0 && i < len(e.acks.list) {
		e.markReady(i)
	}
}

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
