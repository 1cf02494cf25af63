package broker

import (
	"time"

	"iot.wasm/internal/localiot/store"

	"github.com/mochi-mqtt/server/v2/packets"
)

// session is the session of a client id. Broker.mu guards it.
type session struct {
	id            string
	v5            bool
	expiry        time.Duration // how long the session continues without a connection; 0: not at all
	conn          *Conn         // nil while the client is not connected
	subscriptions map[string]*subscription
	will          *will           // of the connection, or delayed; nil if there is none
	expires       *time.Timer     // ends the session; nil while the client is connected
	disconnected  time.Time       // the end of the last connection
	received      map[uint16]bool // identifiers of QoS 2 messages from the client that are not released
	outbox

	stored bool // whether the store has the session

	// The following fields are used by route.
	matched uint64   // the last call that found the session
	match   delivery // the message for the session
}

func newSession(id string) *session {
	return &session{id: id, subscriptions: make(map[string]*subscription), received: make(map[uint16]bool)}
}

// persistent reports whether the session continues without a connection.
func (s *session) persistent() bool { return s.expiry > 0 }

func (s *session) stopTimers() {
	if s.expires != nil {
		s.expires.Stop()
		s.expires = nil
	}
	if s.will != nil && s.will.timer != nil {
		s.will.timer.Stop()
	}
	if s.pace != nil {
		s.pace.Stop()
		s.pace = nil
	}
}

// attach gives the connection its session: a new one, or the session of the client id if cleanStart is
// not set. It closes an older connection of the client id. The caller holds b.mu.
func (b *Broker) attach(c *Conn, id string, cleanStart bool) (s *session, present bool, changes []store.Change) {
	s = b.sessions[id]
	if s != nil && s.conn != nil {
		old := s.conn
		old.Disconnect(packets.ErrSessionTakenOver)
		changes = b.endConnection(old, !cleanStart)
		s = b.sessions[id] // nil if the session has ended with its connection
	}
	if s != nil && cleanStart {
		changes = append(changes, b.endSession(s)...)
		s = nil
	}
	if present = s != nil; !present {
		s = newSession(id)
		b.sessions[id] = s
	}
	s.stopTimers()
	s.will = nil // The session continues, so a delayed will is not sent [MQTT-3.1.3-9].
	s.conn = c
	c.session = s
	return s, present, changes
}

// detach ends the connection: it sends or schedules the will, and ends the session or lets it continue
// without a connection. It does nothing if an other connection has taken over the session.
func (b *Broker) detach(c *Conn) {
	c.mu.Lock()
	cause := c.cause
	c.mu.Unlock()
	if cause == "" {
		cause = "CONNECTION_LOST"
	}
	b.mu.Lock()
	b.storeLater(b.endConnection(c, false))
	b.mu.Unlock()
	if c.info.ClientID == "" {
		return
	}
	c.log.Info("disconnect", "client", c.info.ClientID, "reason", cause)
	if o := b.options.Observer; o != nil {
		o.Disconnected(c.info, cause, cause == clientInitiated)
	}
}

// endConnection removes a connection from its session. taken states that the session continues at once
// with another connection. The caller holds b.mu.
func (b *Broker) endConnection(c *Conn, taken bool) (changes []store.Change) {
	s := c.session
	if s == nil {
		return nil
	}
	c.session = nil
	s.conn = nil
	s.disconnected = time.Now()
	if w := s.will; w != nil {
		switch {
		case taken && w.delay > 0:
			s.will = nil // [MQTT-3.1.3-9]
		case w.delay == 0 || !s.persistent():
			s.will = nil
			changes = b.sendWill(w)
		case !b.closed:
			w.timer = time.AfterFunc(min(w.delay, s.expiry), func() { b.sendDelayedWill(s, w) })
		}
	}
	changes = append(changes, b.returnShared(s, !s.persistent())...)
	if !s.persistent() {
		return append(changes, b.endSession(s)...)
	}
	s.rewind()
	if !b.closed {
		b.expireAfter(s, s.expiry)
	}
	return append(changes, b.sessionChange(s)...)
}

// expireAfter starts the timer that ends a session without a connection. The caller holds b.mu.
func (b *Broker) expireAfter(s *session, d time.Duration) {
	since := s.disconnected
	s.expires = time.AfterFunc(d, func() { b.expire(s, since) })
}

// expire ends a session whose client has not connected since the end of its last connection. The client
// may have connected, and disconnected again, after the timer has expired.
func (b *Broker) expire(s *session, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[s.id] == s && s.conn == nil && s.disconnected.Equal(since) && !b.closed {
		b.storeLater(b.endSession(s))
	}
}

// endSession removes a session with its subscriptions and messages. It sends a delayed will. The caller
// holds b.mu.
func (b *Broker) endSession(s *session) (changes []store.Change) {
	s.stopTimers()
	delete(b.sessions, s.id)
	if s.conn != nil {
		s.conn.session = nil
		s.conn = nil
	}
	if w := s.will; w != nil {
		s.will = nil
		changes = b.sendWill(w) // MQTT 5, 3.1.3.2.2
	}
	changes = append(changes, b.returnShared(s, true)...)
	for _, sub := range s.subscriptions {
		changes = append(changes, b.removeSubscription(sub)...)
	}
	for _, d := range s.inflight {
		changes = append(changes, b.forget(d)...)
	}
	for _, d := range s.waiting {
		changes = append(changes, b.forget(d)...)
	}
	s.inflight, s.waiting, s.bytes = nil, nil, 0
	return append(changes, b.deleteSession(s)...)
}

// DisconnectClient closes the connection of a client with DISCONNECT 0x98, and reports whether the client
// was connected. With cleanSession it also ends the client's session. With preventWill it drops the will. It
// has no effect on a client that is not connected. It returns after the change is stored, or an error.
func (b *Broker) DisconnectClient(clientID string, cleanSession, preventWill bool) (connected bool, err error) {
	b.mu.Lock()
	s := b.sessions[clientID]
	if s == nil || s.conn == nil {
		b.mu.Unlock()
		return false, nil
	}
	if preventWill {
		s.will = nil
	}
	c := s.conn
	c.disconnect(packets.ErrAdministrativeAction, "API_INITIATED_DISCONNECT")
	changes := b.endConnection(c, false)
	if b.sessions[clientID] != nil && cleanSession {
		changes = append(changes, b.endSession(s)...)
	}
	stored := make(chan error, 1)
	b.submit(changes, func(err error) { stored <- err })
	b.mu.Unlock()
	return true, <-stored
}
