package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// broker is a model of one: small, right, and suspicious of its clients.
type broker struct {
	w        *world
	sessions map[string]*session
	conns    []*conn
	taken    map[string]int      // how often each message was taken over, by its payload
	lastSeq  map[string]sequence // by client, topic and QoS: the last message that was new
	next     int                 // numbers deliveries
	acked    func(client, delivery string)
	refuse   []byte          // reason codes for the next CONNECTs
	mute     int             // that many CONNECTs get no answer
	cut      int             // of that many the answer is lost with the connection
	silent   time.Duration   // until then only PINGREQ is answered
	spared   map[string]bool // clients that are answered all the same
	retained map[string]message
}

// A message is a retained message.
type message struct {
	payload string
	qos     byte
}

type sequence struct{ n int }

// session is what the broker keeps of a client.
type session struct {
	id       string
	filters  map[string]byte
	conn     *conn
	received map[uint16]string // QoS 2 messages without PUBREL
	queue    []*delivery       // not sent yet
	inflight []*delivery       // not acknowledged
	seen     map[string]bool   // messages of this session
	gone     time.Duration     // when it expires; 0 while connected
	heard    bool              // the client knows that it is new
	nextID   uint16
}

type delivery struct {
	name, topic, payload string
	qos                  byte
	id                   uint16
	released             bool // PUBREC has come
	again                bool // it has been sent on more than one connection
	retain               bool // it answers a SUBSCRIBE
}

func newBroker(w *world) *broker {
	return &broker{w: w, sessions: map[string]*session{}, taken: map[string]int{}, lastSeq: map[string]sequence{}, spared: map[string]bool{}, retained: map[string]message{}}
}

func (b *broker) accept(l *link) {
	c := &conn{b: b, link: l, unacked: map[uint16]string{}, here: map[string]bool{}, receiveMax: []int{1, 3, 20, 100}[b.w.rand.IntN(4)]}
	b.conns = append(b.conns, c)
	l.toBroker = c.receive
	l.brokerGone = c.gone
}

// restart ends every connection; the sessions may go too.
func (b *broker) restart(keep bool) {
	b.w.note("broker restarts, sessions kept: %v", keep)
	for _, c := range slices.Clone(b.conns) {
		if c.session != nil && c.session.id != "" && b.w.chance(0.5) {
			c.send(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8b, Properties: &packets.Properties{}})
			c.link.closeByBroker(1000)
		} else {
			c.link.cut()
		}
		c.gone()
	}
	if !keep {
		b.sessions = map[string]*session{}
	}
}

// silence has the broker acknowledge nothing for a while.
func (b *broker) silence(d time.Duration) {
	b.w.note("the broker acknowledges nothing for %v", d)
	b.silent = max(b.silent, b.w.now+d)
}

// take takes a message over, and hands it to who subscribes.
func (b *broker) take(client, topic, payload string, qos byte) {
	b.taken[payload]++
	if qos == 2 && b.taken[payload] > 1 {
		b.w.broken("the QoS 2 message %q was taken over %d times", payload, b.taken[payload])
	}
	var n int
	_, _ = fmt.Sscanf(payload[strings.LastIndex(payload, " "):], "%d", &n)
	key := fmt.Sprint(client, topic, qos)
	if b.taken[payload] == 1 {
		if last := b.lastSeq[key]; n <= last.n {
			b.w.broken("out of order: %q comes after number %d", payload, last.n)
		}
		b.lastSeq[key] = sequence{n}
	}
	ids := make([]string, 0, len(b.sessions))
	for id := range b.sessions {
		ids = append(ids, id)
	}
	slices.Sort(ids) // the order of a map would not replay
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
		b.next++
		s.queue = append(s.queue, &delivery{name: fmt.Sprintf("d%d", b.next), topic: topic, payload: payload, qos: min(qos, byte(granted))})
		if s.conn != nil {
			s.conn.pump()
		}
	}
}
