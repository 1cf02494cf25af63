package mqtt

// pendingAck is the acknowledgement of a message that has arrived.
type pendingAck struct {
	id    uint16
	qos   byte
	ready bool // the message has been handed on, or given up
}

// acknowledgements keeps the order of PUBACK and PUBREC the one in which the
// messages arrived [MQTT-4.6.0-2] [MQTT-4.6.0-3], while a message waits for its
// recipient. It lasts as long as the connection; Receive Maximum bounds it.
type acknowledgements struct {
	list  []pendingAck
	first uint32 // the ticket of the first in the list
}

func (a *acknowledgements) reset() {
	a.first += uint32(len(a.list))
	a.list = a.list[:0]
}

// handOn gives an arrived message to the Handler, and acknowledges it when it
// has a recipient and every message before it has been acknowledged.
func (e *Engine) handOn(m *Publish) {
	m.Ticket = e.acks.first + uint32(len(e.acks.list))
	// The Handler cannot acknowledge it before it is in the list.
	e.acks.list = append(e.acks.list, pendingAck{m.packetID, m.QoS, false})
	if e.handler.Message(m) {
		e.ready(len(e.acks.list) - 1)
	}
}

// Acknowledge says that the message with this ticket, for which the Handler had
// no recipient, has found one or is given up. Tickets of earlier connections are
// ignored: the server sends those messages again.
func (e *Engine) Acknowledge(ticket uint32) {
	if i := int(int32(ticket - e.acks.first)); i >= 0 && i < len(e.acks.list) {
		e.ready(i)
	}
}

func (e *Engine) ready(i int) {
	a := &e.acks
	a.list[i].ready = true
	if a.list[i].qos == 2 {
		// From here on the server's retransmission of it is a duplicate.
		e.received[a.list[i].id] = e.generation
	}
	n := 0
	for ; n < len(a.list) && a.list[n].ready; n++ {
		e.acknowledge(a.list[n].id, a.list[n].qos)
	}
	a.first += uint32(n)
	a.list = a.list[:copy(a.list, a.list[n:])]
}

func (e *Engine) acknowledge(id uint16, qos byte) {
	if qos == 1 {
		e.answer(typePuback, id, Success)
		e.acking++
		return
	}
	e.answer(typePubrec, id, Success)
}
