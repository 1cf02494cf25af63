package chaos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// traffic summarises the packets of a round.
type traffic struct {
	mu           sync.Mutex
	acknowledged map[string]bool // messages of QoS 1 and 2 that the page has acknowledged
	duplicates   int             // PUBLISH packets with DUP, of both directions
	broken       []string        // packets that must not occur
}

func newTraffic() *traffic { return &traffic{acknowledged: map[string]bool{}} }

// A tap reads the WebSocket frames of both directions of a link, and the MQTT packets in
// them.
type tap struct {
	traffic *traffic
	up      frames
	down    frames
	sent    map[uint16]string // by packet identifier: the last message that the broker sent
	last    []string          // descriptions of packets, except PUBLISH of QoS 0
	ended   bool              // the broker has sent DISCONNECT
}

func newTap(traffic *traffic) *tap {
	t := &tap{traffic: traffic, sent: map[uint16]string{}}
	t.up.packet, t.down.packet = t.pagePacket, t.brokerPacket
	return t
}

// fromPage reads bytes of the page. The proxy calls fromPage before it passes the bytes to
// the broker. So the tap reads them before the broker's answer.
func (t *tap) fromPage(b []byte) {
	t.traffic.mu.Lock()
	defer t.traffic.mu.Unlock()
	t.up.add(b)
}

func (t *tap) fromBroker(b []byte) {
	t.traffic.mu.Lock()
	defer t.traffic.mu.Unlock()
	t.down.add(b)
}

const (
	connack    = 2
	publish    = 3
	puback     = 4
	pubrec     = 5
	pubcomp    = 7
	disconnect = 14
)

// described is the number of packets that the text of a broken rule lists.
const described = 40

func (t *tap) describe(from string, first byte, body []byte) {
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
	case kind == connack || kind == disconnect:
		line += fmt.Sprintf(" %x", body)
	}
	if t.last = append(t.last, line); len(t.last) > 2*described {
		t.last = append(t.last[:0], t.last[described:]...)
	}
}

func (t *tap) brokerPacket(first byte, body []byte) {
	t.describe("broker", first, body)
	switch first >> 4 {
	case disconnect:
		if len(body) > 0 && body[0] >= 0x80 && !t.ended {
			t.ended = true
			t.traffic.broken = append(t.traffic.broken, fmt.Sprintf("the broker ends the connection with 0x%02x after\n  %s", body[0], strings.Join(t.last[max(0, len(t.last)-described):], "\n  ")))
		}
	case publish:
		if first&8 != 0 {
			t.traffic.duplicates++
		}
		if id, name := message(first, body); id != 0 {
			t.sent[id] = name
		}
	}
}

func (t *tap) pagePacket(first byte, body []byte) {
	t.describe("page", first, body)
	switch first >> 4 {
	case publish:
		if first&8 != 0 {
			t.traffic.duplicates++
		}
	case puback, pubrec:
		id := binary.BigEndian.Uint16(body)
		name, ok := t.sent[id]
		if !ok {
			t.traffic.broken = append(t.traffic.broken, fmt.Sprintf("the page acknowledges packet identifier %d, which the broker has not used on this connection", id))
			return
		}
		t.traffic.acknowledged[name] = true
	}
}

// message decodes a PUBLISH. It returns the packet identifier, which is 0 for QoS 0, and
// the name of the message.
func message(first byte, body []byte) (id uint16, name string) {
	topic := int(binary.BigEndian.Uint16(body))
	body = body[2+topic:]
	if first&6 != 0 {
		id, body = binary.BigEndian.Uint16(body), body[2:]
	}
	properties, used := binary.Uvarint(body)
	return id, nameOf(body[used+int(properties):])
}

// nameOf returns the name of a message: its payload before the first semicolon.
func nameOf(payload []byte) string {
	name, _, _ := bytes.Cut(payload, []byte{';'})
	return string(name)
}

// frames decodes the bytes of one direction of a WebSocket connection, which begin with an
// HTTP header.
type frames struct {
	packet func(first byte, body []byte) // called for each MQTT packet
	buffer []byte
	open   bool // after the HTTP header
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

// frame decodes a frame and returns its size, or 0 if the frame is incomplete.
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
	if opcode := b[0] & 15; opcode == 0 || opcode == 2 { // only binary messages contain MQTT
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
