package chaos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// ledger is what the network has seen: which messages the page has acknowledged.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[string]bool // QoS 1 and 2 messages of the broker
	again        int             // PUBLISH packets with DUP, both ways
	accepted     int             // CONNACK packets without an error
	broken       []string        // what must never be on the wire
}

func newLedger() *ledger { return &ledger{acknowledged: map[string]bool{}} }

// tap listens to one link: it reads the WebSocket frames of both directions, and
// the MQTT packets in them.
type tap struct {
	book *ledger
	up   frames
	down frames
	sent map[uint16]string // by packet identifier: the message that the broker sent last
	last []string          // packets, but for those of QoS 0
	over bool              // the broker has said DISCONNECT
}

func newTap(book *ledger) *tap {
	t := &tap{book: book, sent: map[uint16]string{}}
	t.up.packet, t.down.packet = t.pagePacket, t.brokerPacket
	return t
}

// fromPage takes bytes before they are passed on, so that no answer to them can
// come first.
func (t *tap) fromPage(b []byte) {
	t.book.mu.Lock()
	defer t.book.mu.Unlock()
	t.up.add(b)
}

func (t *tap) fromBroker(b []byte) {
	t.book.mu.Lock()
	defer t.book.mu.Unlock()
	t.down.add(b)
}

const (
	connack = 2
	publish = 3
	puback  = 4
	pubrec  = 5
	pubcomp = 7
	goodbye = 14
)

// kept is how many packets of a link are remembered.
const kept = 40

func (t *tap) remember(from string, first byte, body []byte) {
	line := fmt.Sprintf("%s %d", from, first>>4)
	switch kind := first >> 4; {
	case kind == publish:
		id, name := message(first, body)
		if id == 0 {
			return
		}
		line = fmt.Sprintf("%s PUBLISH %d QoS %d DUP %d %s", from, id, first>>1&3, first>>3&1, name)
	case kind >= puback && kind <= pubcomp:
		line = fmt.Sprintf("%s %s %d %x", from, [...]string{"PUBACK", "PUBREC", "PUBREL", "PUBCOMP"}[kind-puback], binary.BigEndian.Uint16(body), body[2:])
	case kind == connack || kind == goodbye:
		line += fmt.Sprintf(" %x", body)
	}
	if t.last = append(t.last, line); len(t.last) > 2*kept {
		t.last = append(t.last[:0], t.last[kept:]...)
	}
}

func (t *tap) brokerPacket(first byte, body []byte) {
	t.remember("broker", first, body)
	switch first >> 4 {
	case goodbye:
		if len(body) > 0 && body[0] >= 0x80 && !t.over {
			t.over = true
			t.book.broken = append(t.book.broken, fmt.Sprintf("the broker ends the connection with 0x%02x after\n  %s", body[0], strings.Join(t.last[max(0, len(t.last)-kept):], "\n  ")))
		}
	case connack:
		if len(body) >= 2 && body[1] == 0 {
			t.book.accepted++
		}
	case publish:
		if first&8 != 0 {
			t.book.again++
		}
		if id, name := message(first, body); id != 0 {
			t.sent[id] = name
		}
	}
}

func (t *tap) pagePacket(first byte, body []byte) {
	t.remember("page", first, body)
	switch first >> 4 {
	case publish:
		if first&8 != 0 {
			t.book.again++
		}
	case puback, pubrec:
		id := binary.BigEndian.Uint16(body)
		name, ok := t.sent[id]
		if !ok {
			t.book.broken = append(t.book.broken, fmt.Sprintf("the page acknowledges packet identifier %d, which the broker has not used on this connection", id))
			return
		}
		t.book.acknowledged[name] = true
	}
}

// message reads a PUBLISH: its identifier, which is 0 for QoS 0, and the name that
// its payload begins with.
func message(first byte, body []byte) (id uint16, name string) {
	topic := int(binary.BigEndian.Uint16(body))
	body = body[2+topic:]
	if first&6 != 0 {
		id, body = binary.BigEndian.Uint16(body), body[2:]
	}
	properties, used := binary.Uvarint(body)
	return id, nameOf(body[used+int(properties):])
}

// nameOf is a message's name: what its payload says before the second semicolon.
func nameOf(payload []byte) string {
	name, _, _ := bytes.Cut(payload, []byte{';'})
	return string(name)
}

// frames reads a WebSocket's bytes of one direction, the HTTP header before them
// included.
type frames struct {
	packet func(first byte, body []byte)
	buffer []byte
	open   bool // the HTTP header is over
	mqtt   []byte
}

func (f *frames) add(b []byte) {
	f.buffer = append(f.buffer, b...)
	if !f.open {
		_, rest, ok := bytes.Cut(f.buffer, []byte("\r\n\r\n"))
		if !ok {
			return
		}
		f.open, f.buffer = true, bytes.Clone(rest)
	}
	for {
		n := f.frame(f.buffer)
		if n == 0 {
			break
		}
		f.buffer = f.buffer[n:]
	}
	for len(f.mqtt) >= 2 {
		size, used := binary.Uvarint(f.mqtt[1:])
		if used <= 0 || uint64(len(f.mqtt)) < 1+uint64(used)+size {
			break
		}
		whole := 1 + used + int(size)
		f.packet(f.mqtt[0], f.mqtt[1+used:whole])
		f.mqtt = f.mqtt[whole:]
	}
}

// frame takes one whole frame, and returns its size; 0 when it is not whole yet.
func (f *frames) frame(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	n, at := uint64(b[1]&0x7f), 2
	switch n {
	case 126:
		if len(b) < 4 {
			return 0
		}
		n, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return 0
		}
		n, at = binary.BigEndian.Uint64(b[2:]), 10
	}
	var mask []byte
	if b[1]&0x80 != 0 {
		if len(b) < at+4 {
			return 0
		}
		mask, at = b[at:at+4], at+4
	}
	if uint64(len(b)-at) < n {
		return 0
	}
	if opcode := b[0] & 15; opcode == 0 || opcode == 2 { // the others are not MQTT
		start := len(f.mqtt)
		f.mqtt = append(f.mqtt, b[at:at+int(n)]...)
		for i := range f.mqtt[start:] {
			if mask != nil {
				f.mqtt[start+i] ^= mask[i&3]
			}
		}
	}
	return at + int(n)
}
