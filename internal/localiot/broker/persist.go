package broker

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"iot.wasm/internal/localiot/store"
)

// The buckets of the store.
const (
	sessionBucket  = "broker-sessions"
	queueBucket    = "broker-queues" // the messages of sessions and of shared subscriptions
	retainedBucket = "broker-retained"
)

// Keys of queueBucket begin with the kind of the owner.
const (
	sessionOwner = "s"
	groupOwner   = "g"
)

// storeLater stores changes that may be lost. The caller holds b.mu.
func (b *Broker) storeLater(changes []store.Change) { b.store.Enqueue(changes...) }

// submit stores changes, and then calls done, which must not block. The caller holds b.mu.
func (b *Broker) submit(changes []store.Change, done func(error)) { b.store.Submit(done, changes...) }

// submit stores changes, and delays the reply with the gate meanwhile. The gate may be nil. The caller
// holds Broker.mu.
func (c *Conn) submit(changes []store.Change, g *gate) {
	b := c.broker
	if g == nil || b.store == nil || len(changes) == 0 {
		b.storeLater(changes)
		return
	}
	c.mu.Lock()
	g.waiting++
	c.mu.Unlock()
	b.submit(changes, func(err error) {
		if err == nil {
			c.open(g)
			return
		}
		// The packet remains unacknowledged.
		c.log.Error("the state cannot be stored: closing the connection", "error", err)
		c.setCause("SERVER_ERROR")
		c.Close()
	})
}

// storeKey returns a key for a client id, a topic or a filter. It replaces a text that would be too long.
func storeKey(s string) string {
	if len(s) <= 1024 {
		return s
	}
	return fmt.Sprintf("\x01%x", sha256.Sum256([]byte(s)))
}

// sessionState is the value of a session in the store.
type sessionState struct {
	ID            string
	V5            bool
	Expiry        time.Duration
	Disconnected  time.Time // the zero time while the client is connected
	Subscriptions []subscriptionState
}

type subscriptionState struct {
	Filter                     string
	QoS                        byte
	NoLocal, RetainAsPublished bool
}

// sessionChange stores a session, without its messages. The caller holds b.mu.
func (b *Broker) sessionChange(s *session) []store.Change {
	if b.store == nil {
		return nil
	}
	if !s.persistent() {
		return b.deleteSession(s)
	}
	state := sessionState{ID: s.id, V5: s.v5, Expiry: s.expiry}
	if s.conn == nil {
		state.Disconnected = s.disconnected
	}
	for _, sub := range s.subscriptions {
		state.Subscriptions = append(state.Subscriptions, subscriptionState{sub.filter, sub.qos, sub.noLocal, sub.retainAsPublished})
	}
	value, err := json.Marshal(&state)
	if err != nil {
		panic(err) // all members can be encoded
	}
	s.stored = true
	return []store.Change{{Bucket: sessionBucket, Key: storeKey(s.id), Value: value}}
}

// deleteSession removes a session from the store, without its messages. The caller holds b.mu.
func (b *Broker) deleteSession(s *session) []store.Change {
	if !s.stored {
		return nil
	}
	s.stored = false
	return []store.Change{{Bucket: sessionBucket, Key: storeKey(s.id)}}
}

// deliveryChange stores a message of a session or of a group. owner is sessionOwner or groupOwner, and id is
// the client id or the filter. The caller holds b.mu.
func (b *Broker) deliveryChange(owner, id string, d *delivery) []store.Change {
	if b.store == nil {
		return nil
	}
	value := b.encodeDelivery(d, time.Time{})
	if value == nil {
		return nil
	}
	b.sequence++
	d.key = fmt.Sprintf("%s%s\x00%016x", owner, storeKey(id), b.sequence) // MQTT texts do not contain U+0000
	return []store.Change{{Bucket: queueBucket, Key: d.key, Value: value}}
}

// deleteDelivery reverses deliveryChange. The caller holds b.mu.
func (b *Broker) deleteDelivery(d *delivery) []store.Change {
	if d.key == "" {
		return nil
	}
	return []store.Change{{Bucket: queueBucket, Key: d.key}}
}

// retainedChange stores a retained message. The caller holds b.mu.
func (b *Broker) retainedChange(r *retained) []store.Change {
	if b.store == nil {
		return nil
	}
	value := b.encodeDelivery(&delivery{message: r.message, qos: r.message.qos, retain: true}, r.modified)
	return []store.Change{{Bucket: retainedBucket, Key: storeKey(r.message.topic), Value: value}}
}

// deleteRetained removes a retained message from the store. The caller holds b.mu.
func (b *Broker) deleteRetained(topic string) []store.Change {
	if b.store == nil {
		return nil
	}
	return []store.Change{{Bucket: retainedBucket, Key: storeKey(topic)}}
}

// encodeDelivery encodes a message for the store:
//
//	1 byte   QoS, and 4 for the RETAIN flag
//	8 bytes  expiry in ms since 1970, or 0
//	8 bytes  time of the modification in ms since 1970, or 0
//	2 bytes  length of the filter of the shared subscription, or 0
//	         that filter
//	         a PUBLISH of MQTT 5 with QoS 0
//
// It returns nil if the message cannot be encoded. The caller holds b.mu.
func (b *Broker) encodeDelivery(d *delivery, modified time.Time) []byte {
	f, err := d.message.frame(frameKind{v5: true}, time.Now())
	if err != nil {
		return nil
	}
	group := ""
	if d.group != nil {
		group = d.group.filter
	}
	v := make([]byte, 0, 19+len(group)+len(f.bytes))
	flags := d.qos
	if d.retain {
		flags |= 4
	}
	v = append(v, flags)
	v = binary.BigEndian.AppendUint64(v, milliseconds(d.message.expires))
	v = binary.BigEndian.AppendUint64(v, milliseconds(modified))
	v = binary.BigEndian.AppendUint16(v, uint16(len(group)))
	v = append(v, group...)
	return append(v, f.bytes...)
}

// decodeDelivery decodes the result of encodeDelivery. It does not keep v.
func decodeDelivery(v []byte) (d *delivery, group string, modified time.Time, err error) {
	damaged := errors.New("broker: a stored message is damaged")
	if len(v) < 19 {
		return nil, "", modified, damaged
	}
	flags, expires := v[0], fromMilliseconds(binary.BigEndian.Uint64(v[1:]))
	modified = fromMilliseconds(binary.BigEndian.Uint64(v[9:]))
	n := int(binary.BigEndian.Uint16(v[17:]))
	if len(v) < 19+n+2 {
		return nil, "", modified, damaged
	}
	group = string(v[19 : 19+n])
	packet := bytes.Clone(v[19+n:])
	if !isWholePublish(packet) {
		return nil, "", modified, damaged
	}
	pk, err := decode(packet, 5)
	if err != nil || flags&3 > 2 {
		return nil, "", modified, damaged
	}
	m := newMessage(pk.TopicName, pk.Payload, flags&3, flags&4 != 0, &pk.Properties)
	m.expires = expires
	return &delivery{message: m, qos: flags & 3, retain: flags&4 != 0}, group, modified, nil
}

// isWholePublish reports whether the fixed header of a packet is that of a PUBLISH with QoS 0 and the
// length of the packet.
func isWholePublish(packet []byte) bool {
	if packet[0] != 3<<4 {
		return false
	}
	remaining, n := binary.Uvarint(packet[1:]) // has the encoding of a Variable Byte Integer
	return n > 0 && n <= 4 && remaining == uint64(len(packet)-1-n)
}

func milliseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

func fromMilliseconds(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// load loads the state of the store.
func (b *Broker) load() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.store.Load(retainedBucket, func(_ string, v []byte) error {
		d, _, modified, err := decodeDelivery(v)
		if err != nil {
			return err
		}
		b.retained.messages[d.message.topic] = &retained{d.message, modified}
		b.retained.bytes += d.message.size
		return nil
	})
	if err != nil {
		return err
	}
	for topic := range b.retained.messages {
		b.retainedMessage(topic) // removes an expired message
	}
	owners := make(map[string]*session)
	if err := b.store.Load(sessionBucket, func(key string, v []byte) error { return b.loadSession(owners, key, v) }); err != nil {
		return err
	}
	groups := make(map[string]*group)
	for filter, g := range b.groups {
		groups[storeKey(filter)] = g
	}
	// A message that was stored for many sessions has one message in memory again.
	messages := make(map[[sha256.Size]byte]*message)
	err = b.store.Load(queueBucket, func(key string, v []byte) error {
		hash := sha256.Sum256(v)
		d, err := b.loadDelivery(owners, groups, key, v, messages[hash])
		if err == nil {
			messages[hash] = d.message
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range b.sessions {
		b.expireAfter(s, time.Until(s.disconnected.Add(s.expiry)))
	}
	return nil
}

// loadSession adds a session of the store, and its subscriptions. A session whose client was connected
// when the process ended expires as if the connection ended now.
func (b *Broker) loadSession(owners map[string]*session, key string, v []byte) error {
	var state sessionState
	if err := json.Unmarshal(v, &state); err != nil {
		return fmt.Errorf("broker: a stored session is damaged: %w", err)
	}
	s := newSession(state.ID)
	s.v5, s.expiry, s.disconnected, s.stored = state.V5, state.Expiry, state.Disconnected, true
	if s.disconnected.IsZero() {
		s.disconnected = time.Now()
	}
	for _, sub := range state.Subscriptions {
		b.replaceSubscription(nil, &subscription{session: s, filter: sub.Filter, qos: sub.QoS, noLocal: sub.NoLocal, retainAsPublished: sub.RetainAsPublished})
	}
	b.sessions[s.id] = s
	owners[key] = s
	return nil
}

// loadDelivery adds a message of the store to its session or group, and returns it. equal is the message of
// an equal value that was loaded before, or nil.
func (b *Broker) loadDelivery(owners map[string]*session, groups map[string]*group, key string, v []byte, equal *message) (*delivery, error) {
	owner, order, _ := strings.Cut(key, "\x00")
	d, filter, _, err := decodeDelivery(v)
	if err != nil {
		return nil, err
	}
	if equal != nil {
		d.message = equal
	}
	sequence, err := strconv.ParseUint(order, 16, 64)
	if err != nil || owner == "" {
		return nil, errors.New("broker: the key of a stored message is damaged")
	}
	b.sequence = max(b.sequence, sequence)
	d.key, d.group = key, b.groups[filter]
	s, g := owners[owner[1:]], groups[owner[1:]]
	switch {
	case owner[:1] == sessionOwner && s != nil:
		s.waiting = append(s.waiting, d)
		s.bytes += d.message.size
	case owner[:1] == groupOwner && g != nil:
		g.waiting = append(g.waiting, d)
		g.bytes += d.message.size
	default:
		return d, nil
	}
	b.hold(d)
	return d, nil
}

// Forget deletes the stored sessions and retained messages. The Broker then keeps its state in memory
// only.
func (b *Broker) Forget() error {
	b.mu.Lock()
	db := b.store
	b.store = nil
	b.mu.Unlock()
	changes := []store.Change{{Bucket: sessionBucket, Key: "-"}}
	if err := db.Apply(changes...); err != nil { // all earlier changes are then written
		return err
	}
	for _, bucket := range []string{sessionBucket, queueBucket, retainedBucket} {
		err := db.Load(bucket, func(key string, _ []byte) error {
			changes = append(changes, store.Change{Bucket: bucket, Key: key})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return db.Apply(changes...)
}
