package broker

import (
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"iot.wasm/internal/localiot/store"
)

// storedInterval is the time between two messages of a resumed session with RateQuotas: AWS IoT sends at
// most 10 stored messages a second ("MQTT persistent sessions").
const storedInterval = 100 * time.Millisecond

// delivery is a message for one session or one shared subscription.
type delivery struct {
	message *message
	qos     byte   // the lower one of the message and the subscription
	retain  bool   // the RETAIN flag
	group   *group // the shared subscription; nil if there is none
	key     string // the key in the store; "" if the delivery is not stored

	// The following fields are used in the outbox of a session.
	id        uint16 // the packet identifier; 0 until the message is sent
	duplicate bool   // the message has been sent on an earlier connection
	released  bool   // QoS 2: the client has sent PUBREC
}

// outbox holds the QoS 1 and 2 messages of a session that are not acknowledged, in order. Broker.mu
// guards it.
type outbox struct {
	inflight []*delivery // sent on this connection
	waiting  []*delivery // not sent on this connection
	bytes    int         // the size of both
	lastID   uint16
	dropping bool        // set from the first dropped message until all messages are acknowledged
	backlog  int         // the number of messages that the session held when the connection began
	pace     *time.Timer // continues send; only with RateQuotas
}

// rewind makes the messages of the ended connection wait again, before all others.
func (o *outbox) rewind() {
	for _, d := range o.inflight {
		d.duplicate = true
	}
	o.waiting = append(o.inflight, o.waiting...)
	o.inflight = nil
}

// fits reports whether a message fits into the outbox of a session or a group with that content. The
// caller holds b.mu.
func (b *Broker) fits(bytes int, m *message) bool {
	return bytes+m.size <= maxStored && (m.references > 0 || b.stored+m.size <= maxStoredTotal)
}

// hold counts a reference to the message of a delivery. The caller holds b.mu.
func (b *Broker) hold(d *delivery) {
	if d.message.references++; d.message.references == 1 {
		b.stored += d.message.size
	}
}

// forget removes a reference to the message of a delivery, and the delivery from the store. The caller
// holds b.mu.
func (b *Broker) forget(d *delivery) []store.Change {
	if d.message.references--; d.message.references == 0 {
		b.stored -= d.message.size
		d.message.frames = nil
	}
	return b.deleteDelivery(d)
}

// deliver sends a message to a session, or stores it. It drops the message if a bound is exceeded. The
// caller holds b.mu.
func (b *Broker) deliver(s *session, d *delivery) (changes []store.Change) {
	if d.qos == 0 {
		if s.conn != nil {
			s.conn.send(d)
		}
		return nil
	}
	if s.conn == nil && !s.persistent() {
		return nil
	}
	if !b.fits(s.bytes, d.message) {
		if !s.dropping {
			s.dropping = true
			b.log.Warn("too many unacknowledged messages: dropping messages to the client", "client", s.id, "bytes", s.bytes)
		}
		return nil
	}
	b.hold(d)
	s.bytes += d.message.size
	s.waiting = append(s.waiting, d)
	if s.persistent() {
		changes = b.deliveryChange(sessionOwner, s.id, d)
	}
	return append(changes, b.pump(s)...)
}

// pump sends the waiting messages that the Receive Maximum of the client allows. The caller holds b.mu.
func (b *Broker) pump(s *session) (changes []store.Change) {
	now := time.Now()
	for s.conn != nil && len(s.waiting) > 0 && len(s.inflight) < s.conn.window {
		if b.options.RateQuotas && s.backlog > 0 {
			if s.pace != nil {
				return changes
			}
			s.pace = time.AfterFunc(storedInterval, func() { b.resume(s) })
		}
		if s.backlog > 0 {
			s.backlog--
		}
		d := s.waiting[0]
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		if d.id == 0 && d.message.expired(now) {
			changes = append(changes, b.remove(s, d)...)
			continue
		}
		if d.id == 0 {
			d.id = s.nextID()
		}
		if s.conn.send(d) {
			s.inflight = append(s.inflight, d)
		} else {
			changes = append(changes, b.remove(s, d)...)
		}
	}
	if len(s.waiting) == 0 {
		s.waiting = nil // releases the memory
	}
	return changes
}

// resume continues pump after storedInterval.
func (b *Broker) resume(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.pace != nil && !b.closed {
		s.pace = nil
		b.storeLater(b.pump(s))
	}
}

// remove forgets a delivery that is neither waiting nor in flight any more. The caller holds b.mu.
func (b *Broker) remove(s *session, d *delivery) []store.Change {
	if s.bytes -= d.message.size; s.bytes == 0 {
		s.dropping = false
	}
	return b.forget(d)
}

// nextID returns a packet identifier that no message in flight has.
func (o *outbox) nextID() uint16 {
	for {
		if o.lastID++; o.lastID != 0 && o.find(o.lastID) < 0 {
			return o.lastID
		}
	}
}

// find returns the index in inflight of a packet identifier, or -1.
func (o *outbox) find(id uint16) int {
	for i, d := range o.inflight {
		if d.id == id {
			return i
		}
	}
	return -1
}

// send queues a PUBLISH, or a PUBREL if the client has sent PUBREC. It returns false if it drops the
// message because the client may not receive it. The caller holds Broker.mu.
func (c *Conn) send(d *delivery) bool {
	if d.released {
		c.queue(outgoing{bytes: acknowledgement(packets.Pubrel, d.id, 0)})
		return true
	}
	now := time.Now()
	m := d.message
	if m.expired(now) && d.id == 0 || c.authorizer != nil && !c.authorizer.Receive(m.topic) {
		return false
	}
	f, err := m.frame(frameKind{v5: c.session.v5, hasID: d.qos > 0}, now)
	if err != nil || len(f.bytes) > c.maximumPacketSize {
		return false // [MQTT-3.1.2-25]
	}
	return c.queue(outgoing{
		bytes:     f.bytes,
		header:    publishHeader(d.qos, d.retain, d.duplicate && d.qos > 0),
		idAt:      f.idAt,
		id:        d.id,
		droppable: d.qos == 0,
	})
}

// queue queues a packet that is not a reply. It returns false if it drops a QoS 0 message because of a
// bound or a rate quota.
func (c *Conn) queue(o outgoing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return true
	}
	isMessage := o.header != 0
	if isMessage && c.broker.options.RateQuotas && !c.rate.allow(c.broker.options.Now()) && o.droppable {
		return false
	}
	if o.droppable && c.out.unsent+len(o.bytes) > maxUnsent {
		if !c.out.dropping {
			c.out.dropping = true
			c.log.Warn("the client does not read: dropping QoS 0 messages to it", "client", c.clientID, "bytes", c.out.unsent)
		}
		return false
	}
	c.out.push(o)
	c.changed.Broadcast()
	return true
}

// acknowledge handles a PUBACK, a PUBREC or a PUBCOMP. An unknown identifier has no effect, except that
// the Broker answers a PUBREC.
func (c *Conn) acknowledge(pk *packets.Packet) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	s := c.session
	if s == nil {
		return
	}
	i := s.find(pk.PacketID)
	isError := pk.ReasonCode >= packets.ErrUnspecifiedError.Code
	if pk.FixedHeader.Type == packets.Pubrec && !isError {
		reason := packets.ErrPacketIdentifierNotFound.Code
		if i >= 0 && s.inflight[i].qos == 2 {
			s.inflight[i].released = true
			reason = 0
		}
		c.reply(acknowledgement(packets.Pubrel, pk.PacketID, c.reasonFor5(reason)), nil)
		return
	}
	if i < 0 {
		return
	}
	d := s.inflight[i]
	if want := packets.Puback; d.qos == 2 {
		want = packets.Pubcomp
		if pk.FixedHeader.Type != want && !isError {
			return
		}
	} else if pk.FixedHeader.Type != want {
		return
	}
	s.inflight = append(s.inflight[:i], s.inflight[i+1:]...)
	changes := b.remove(s, d)
	b.storeLater(append(changes, b.pump(s)...))
}

// acknowledgement returns a PUBACK, PUBREC, PUBREL or PUBCOMP. A reason other than 0 needs MQTT 5.
func acknowledgement(kind byte, id uint16, reason byte) []byte {
	header := kind << 4
	if kind == packets.Pubrel {
		header |= 2
	}
	if reason == 0 {
		return []byte{header, 2, byte(id >> 8), byte(id)}
	}
	return []byte{header, 3, byte(id >> 8), byte(id), reason}
}

// reasonFor5 returns the reason if the client uses MQTT 5, and otherwise 0.
func (c *Conn) reasonFor5(reason byte) byte {
	if c.version < 5 {
		return 0
	}
	return reason
}
