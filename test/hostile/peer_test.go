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

// MQTT's packet types.
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

// packet is a packet with its header.
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

// properties is a property section.
func properties(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}

// user is n user properties with values of so many bytes.
func user(n, size int) []byte {
	one := append(append([]byte{0x26}, text("k")...), text(strings.Repeat("v", size))...)
	b := make([]byte, 0, n*len(one))
	for range n {
		b = append(b, one...)
	}
	return b
}

// message is a PUBLISH.
func message(qos byte, id uint16, topic string, props []byte, payload int) []byte {
	if qos == 0 {
		return packet(publish<<4, text(topic), properties(props), make([]byte, payload))
	}
	return packet(publish<<4|qos<<1, text(topic), number(id), properties(props), make([]byte, payload))
}

// ack is a PUBACK, PUBREC, PUBREL or PUBCOMP.
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

// many puts n packets into one WebSocket message.
func many(n int, one func(i int) []byte) []byte {
	var b []byte
	for i := range n {
		b = append(b, one(i)...)
	}
	return b
}

// attack is what a broker sends to a page.
type attack struct {
	name string
	// connack is sent in place of the usual CONNACK.
	connack func(p *peer)
	// flood is called again and again from when the page has subscribed until the
	// time is over or the connection has ended.
	flood func(p *peer)
	// answer answers a packet of the page, by its first byte, its identifier and the
	// number of its filters; nil stands for the usual answer.
	answer func(first byte, id uint16, filters int) []byte
	// deaf: the broker does not read while it floods.
	deaf bool
	// publishes: the page publishes with QoS 1 and 2 all the time.
	publishes bool
	// subscribes: the page subscribes and unsubscribes all the time.
	subscribes bool
	// ends are the reason codes with which the page may end the connection.
	ends []byte
	// must: the connection has to end.
	must bool
	// silent: the page may end the connection without a DISCONNECT.
	silent bool
}

// peer is the broker's end of the page's connection.
type peer struct {
	a     attack
	ctx   context.Context
	ws    *websocket.Conn
	sent  atomic.Int64 // WebSocket messages
	bytes atomic.Int64
	turn  int       // calls of flood
	until time.Time // when the flood ends

	mu     sync.Mutex
	reason int // of the page's DISCONNECT; -1 where it has sent none
	ended  chan struct{}
}

func (p *peer) send(b []byte) {
	if p.ws.Write(p.ctx, websocket.MessageBinary, b) == nil {
		p.sent.Add(1)
		p.bytes.Add(int64(len(b)))
	}
}

// serveAttack serves one connection, and floods it for so long. The peer comes from
// the channel when the page has connected.
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

// read answers the page, and starts the flood.
func (p *peer) read(during time.Duration) {
	stream := bufio.NewReaderSize(websocket.NetConn(p.ctx, p.ws, websocket.MessageBinary), 64<<10)
	p.ws.SetReadLimit(-1)
	flooding := make(chan struct{})
	started := false
	flood := func() {
		started = true
		p.until = time.Now().Add(during)
		go func() {
			defer close(flooding)
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
					return // it has ended
				}
			}
		}()
		if p.a.deaf {
			select {
			case <-flooding:
			case <-time.After(during): // the page may have stopped reading, too
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
			for body = body[1+body[0]:]; len(body) > 2; filters++ { // behind few properties
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
		if p.a.deaf && started {
			continue // the flood may hold the socket for ever: the page does not read any more
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
				if !started { // the flood may hold the socket for ever
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
