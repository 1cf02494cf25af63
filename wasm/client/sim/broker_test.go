package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// A broker is a model of an MQTT 5 broker. It checks the behaviour of its clients.
type broker struct {
	w           *world
	sessions    map[string]*session
	conns       []*conn
	accepted    map[string]int                // by payload: how often the broker has accepted the message
	last        map[string]int                // by client, topic and QoS: the number of the last new message
	lastName    int                           // the number in the name of the last delivery
	payloads    map[string]string             // by the names of the deliveries: the payload that the broker has sent
	acked       func(client, delivery string) // called when a client acknowledges a delivery
	refuse      []byte                        // reason codes of the next CONNACKs
	mute        int                           // how many CONNECTs the broker will not answer
	cut         int                           // how many connections the broker will cut after CONNACK
	silentUntil time.Duration                 // before this time, the broker answers no PUBLISH, PUBREL, SUBSCRIBE or UNSUBSCRIBE
	spared      map[string]bool               // silentUntil does not apply to these clients
	retained    map[string]retainedMessage    // by topic
}

// A retainedMessage is a message that the broker stores for later subscriptions.
type retainedMessage struct {
	payload string
	qos     byte
}

// A session is the broker's session of a client.
type session struct {
	id        string
	filters   map[string]byte
	conn      *conn
	received  map[uint16]string // messages of QoS 2 without PUBREL
	queue     []*delivery       // not sent yet
	inflight  []*delivery       // sent and not acknowledged
	seen      map[string]bool   // payloads that the client has sent in this session
	expires   time.Duration     // when the session ends; 0 while connected
	confirmed bool              // the client has received a CONNACK without Session Present
	nextID    uint16
}

// A delivery is a message to a client.
type delivery struct {
	name, topic, payload string
	qos                  byte
	id                   uint16
	released             bool // the broker has received PUBREC
	resent               bool // sent again on another connection
	retain               bool // a retained message that answers a SUBSCRIBE
}

func newBroker(w *world) *broker {
	return &broker{w: w, sessions: map[string]*session{}, accepted: map[string]int{}, last: map[string]int{}, spared: map[string]bool{}, payloads: map[string]string{}, retained: map[string]retainedMessage{}}
}

// accept starts the broker's side of a link.
func (b *broker) accept(l *link) {
	c := &conn{b: b, link: l, unacked: map[uint16]string{}, seen: map[string]bool{}, receiveMax: []int{1, 3, 20, 100}[b.w.rand.IntN(4)]}
	b.conns = append(b.conns, c)
	l.toBroker = c.receive
	l.brokerClosed = c.end
}

// restart ends every connection. Unless keep is true, it also deletes the sessions.
func (b *broker) restart(keep bool) {
	b.w.note("the broker restarts, sessions kept: %v", keep)
	for _, c := range slices.Clone(b.conns) {
		if c.session != nil && c.session.id != "" && b.w.chance(0.5) {
			c.send(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8b, Properties: &packets.Properties{}})
			c.link.closeByBroker(1000)
		} else {
			c.link.cut()
		}
		c.end()
	}
	if !keep {
		b.sessions = map[string]*session{}
	}
}

// silence makes the broker acknowledge no packets for a time.
func (b *broker) silence(d time.Duration) {
	b.w.note("the broker acknowledges no packets for %v", d)
	b.silentUntil = max(b.silentUntil, b.w.now+d)
}

// distribute accepts a message and queues it for the subscribers.
func (b *broker) distribute(client, topic, payload string, qos byte) {
	b.accepted[payload]++
	if qos == 2 && b.accepted[payload] > 1 {
		b.w.broken("the broker has accepted the QoS 2 message %q %d times", payload, b.accepted[payload])
	}
	var n int
	_, _ = fmt.Sscanf(payload[strings.LastIndex(payload, " "):], "%d", &n)
	key := fmt.Sprint(client, topic, qos)
	if b.accepted[payload] == 1 {
		if last := b.last[key]; n <= last {
			b.w.broken("%q arrived after number %d", payload, last)
		}
		b.last[key] = n
	}
	ids := make([]string, 0, len(b.sessions))
	for id := range b.sessions {
		ids = append(ids, id)
	}
	slices.Sort(ids) // because a map has a random order
	for _, id := range ids {
		s := b.sessions[id]
		granted := -1
		for f, q := range s.filters {
			if mqtt.Match(f, topic) {
				granted = max(granted, int(q))
			}
		}
		if granted < 0 {
			continue
		}
		b.lastName++
		s.queue = append(s.queue, &delivery{name: fmt.Sprintf("d%d", b.lastName), topic: topic, payload: payload, qos: min(qos, byte(granted))})
		if s.conn != nil {
			s.conn.sendQueued()
		}
	}
}
