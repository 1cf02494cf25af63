package hostile

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhooyr.io/websocket"
)

// The types of MQTT control packets.
const (
	connect = 1 + iota
	connack
	publish
	puback
	pubrec
	pubrel
	pubcomp
	subscribe
	suback
	unsubscribe
	unsuback
	pingreq
	pingresp
	disconnect
	auth
)

// packet encodes a packet from its first byte and the parts of its body.
func packet(first byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := binary.AppendUvarint(append(make([]byte, 0, 5+n), first), uint64(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func number(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

func text(s string) []byte { return append(number(uint16(len(s))), s...) }

// properties encodes the properties of a packet.
func properties(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}

// user encodes n user properties with values of size bytes.
func user(n, size int) []byte {
	one := append(append([]byte{0x26}, text("k")...), text(strings.Repeat("v", size))...)
	b := make([]byte, 0, n*len(one))
	for range n {
		b = append(b, one...)
	}
	return b
}

// message encodes a PUBLISH with a payload of zeros.
func message(qos byte, id uint16, topic string, props []byte, payload int) []byte {
	if qos == 0 {
		return packet(publish<<4, text(topic), properties(props), make([]byte, payload))
	}
	return packet(publish<<4|qos<<1, text(topic), number(id), properties(props), make([]byte, payload))
}

// ack encodes a PUBACK, PUBREC, PUBREL or PUBCOMP.
func ack(kind byte, id uint16, props []byte) []byte {
	first := kind << 4
	if kind == pubrel {
		first |= 2
	}
	if props == nil {
		return packet(first, number(id))
	}
	return packet(first, number(id), []byte{0}, properties(props))
}

// many concatenates n packets, for one WebSocket message.
func many(n int, one func(i int) []byte) []byte {
	var b []byte
	for i := range n {
		b = append(b, one(i)...)
	}
	return b
}

// An attack defines what a broker sends to a page and how the page may react.
type attack struct {
	name string
	// connack, if not nil, sends a packet instead of the usual CONNACK.
	connack func(p *peer)
	// flood, if not nil, is called repeatedly after the page has subscribed, until the
	// time is over or the connection has ended.
	flood func(p *peer)
	// answer, if not nil, answers a packet of the page. Its arguments are the first byte,
	// the packet identifier and the number of filters. It returns nil for the usual answer.
	answer func(first byte, id uint16, filters int) []byte
	// notReading is true if the broker does not read during the flood.
	notReading bool
	// publishes is true if the page publishes messages of QoS 1 and 2 all the time.
	publishes bool
	// subscribes is true if the page subscribes and unsubscribes all the time.
	subscribes bool
	// ends are the allowed reason codes of the page's DISCONNECT.
	ends []byte
	// must is true if the page must end the connection.
	must bool
	// silent is true if the page may end the connection without DISCONNECT.
	silent bool
}

// A peer is the broker's side of a connection of the page.
type peer struct {
	a     attack
	ctx   context.Context
	ws    *websocket.Conn
	sent  atomic.Int64 // WebSocket messages
	bytes atomic.Int64 // in these messages
	turn  int          // the number of earlier calls of flood
	until time.Time    // the end of the flood

	mu     sync.Mutex
	reason int           // of the page's DISCONNECT; -1: none
	ended  chan struct{} // closed after the end of the connection
}

// send sends a WebSocket message.
func (p *peer) send(b []byte) {
	if p.ws.Write(p.ctx, websocket.MessageBinary, b) == nil {
		p.sent.Add(1)
		p.bytes.Add(int64(len(b)))
	}
}

// serveAttack serves a broker that attacks the page. during is the length of the flood.
// When the page has opened its connection, the channel delivers the peer of that connection.
func serveAttack(t *testing.T, a attack, during time.Duration) (endpoint string, peers <-chan *peer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch := make(chan *peer, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		p := &peer{a: a, ctx: ctx, ws: ws, reason: -1, ended: make(chan struct{})}
		ch <- p
		p.read(during)
		close(p.ended)
	}))
	t.Cleanup(func() { cancel(); server.CloseClientConnections(); server.Close() })
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/mqtt", ch
}

// read reads and answers the packets of the page until the connection ends. It starts the
// flood after the first SUBSCRIBE.
func (p *peer) read(during time.Duration) {
	stream := bufio.NewReaderSize(websocket.NetConn(p.ctx, p.ws, websocket.MessageBinary), 64<<10)
	flooded := make(chan struct{})
	started := false
	flood := func() {
		started = true
		p.until = time.Now().Add(during)
		go func() {
			defer close(flooded)
			for end := p.until; time.Now().Before(end); p.turn++ {
				before := p.sent.Load()
				if p.a.flood == nil {
					select {
					case <-p.ended:
					case <-time.After(time.Until(end)):
					}
					return
				}
				if p.a.flood(p); p.sent.Load() == before {
					return // the connection has ended
				}
			}
		}()
		if p.a.notReading {
			select {
			case <-flooded:
			case <-time.After(during): // if the page does not read either, the flood blocks
			}
		}
	}
	for {
		first, err := stream.ReadByte()
		if err != nil {
			return
		}
		n, err := binary.ReadUvarint(stream)
		if err != nil {
			return
		}
		head := make([]byte, min(n, 2))
		if _, err := io.ReadFull(stream, head); err != nil {
			return
		}
		kind, id, filters := first>>4, uint16(0), 0
		if len(head) == 2 && kind != publish {
			id = binary.BigEndian.Uint16(head)
		}
		rest := int(n) - len(head)
		switch kind {
		case publish:
			topic := int(binary.BigEndian.Uint16(head))
			if _, err := stream.Discard(topic); err != nil {
				return
			}
			rest -= topic
			if first&6 != 0 {
				if _, err := io.ReadFull(stream, head); err != nil {
					return
				}
				id, rest = binary.BigEndian.Uint16(head), rest-2
			}
		case subscribe, unsubscribe:
			body := make([]byte, rest)
			if _, err := io.ReadFull(stream, body); err != nil {
				return
			}
			rest = 0
			for body = body[1+body[0]:]; len(body) > 2; filters++ { // the page sends less than 128 bytes of properties
				body = body[2+binary.BigEndian.Uint16(body):]
				if kind == subscribe {
					body = body[1:]
				}
			}
		}
		if kind == disconnect {
			p.mu.Lock()
			p.reason = 0
			if len(head) > 0 {
				p.reason = int(head[0])
			}
			p.mu.Unlock()
		}
		if _, err := stream.Discard(rest); err != nil {
			return
		}
		if p.a.notReading && started {
			continue // an answer would block if the page does not read
		}
		if kind == connect && p.a.connack != nil {
			p.a.connack(p)
			continue
		}
		var reply []byte
		if p.a.answer != nil {
			if reply = p.a.answer(first, id, filters); reply != nil {
				p.send(reply)
			}
		}
		if reply == nil {
			switch kind {
			case connect:
				p.send(packet(connack<<4, []byte{0, 0}, properties()))
			case publish:
				if first&6 == 2 {
					p.send(ack(puback, id, nil))
				} else if first&6 == 4 {
					p.send(ack(pubrec, id, nil))
				}
			case pubrel:
				if !started { // during the flood, an answer might block
					p.send(ack(pubcomp, id, nil))
				}
			case subscribe:
				p.send(packet(suback<<4, number(id), properties(), make([]byte, filters)))
			case unsubscribe:
				p.send(packet(unsuback<<4, number(id), properties(), make([]byte, filters)))
			case pingreq:
				p.send(packet(pingresp << 4))
			}
		}
		if kind == subscribe && !started {
			flood()
		}
	}
}
