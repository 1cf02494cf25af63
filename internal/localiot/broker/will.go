package broker

import (
	"time"

	"iot.wasm/internal/localiot/store"

	"github.com/mochi-mqtt/server/v2/packets"
)

// will is the will of a connection.
type will struct {
	message *message
	delay   time.Duration
	timer   *time.Timer // sends a delayed will; nil while the client is connected
}

// newWill returns the will in a CONNECT, or nil.
func newWill(pk *packets.Packet) *will {
	p := &pk.Connect
	if !p.WillFlag {
		return nil
	}
	m := newMessage(p.WillTopic, p.WillPayload, p.WillQos, p.WillRetain, &p.WillProperties)
	m.publisher = p.ClientIdentifier
	return &will{message: m, delay: time.Duration(p.WillProperties.WillDelayInterval) * time.Second}
}

// sendWill publishes a will. Its Message Expiry Interval begins now. As AWS IoT ignores wills on request
// topics (device-shadow-comms-app.html#thing-connection), the Service of the topic does not handle it.
// The caller holds b.mu.
func (b *Broker) sendWill(w *will) []store.Change {
	w.message.setExpiry(time.Now())
	b.logPublish(w.message.publisher, w.message)
	return b.route(w.message)
}

// sendDelayedWill publishes a will after its delay, unless the session has been continued.
func (b *Broker) sendDelayedWill(s *session, w *will) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.will == w && s.conn == nil && !b.closed {
		s.will = nil
		b.storeLater(b.sendWill(w))
	}
}
