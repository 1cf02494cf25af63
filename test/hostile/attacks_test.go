package hostile

import (
	"fmt"
	"strings"
	"time"

	"nhooyr.io/websocket"
)

// Reason codes of DISCONNECT.
const (
	malformed      = 0x81
	protocolError  = 0x82
	receiveMaximum = 0x93
	aliasInvalid   = 0x94
	packetTooLarge = 0x95
	quotaExceeded  = 0x97
)

const (
	largestPacket = 16 << 20 // the client's Maximum Packet Size
	aliases       = 64       // the client's Topic Alias Maximum
	unknownID     = 999      // a packet identifier that the page does not use
)

var (
	// tiny contains 2,000 messages of QoS 0 with a payload of one byte.
	tiny = many(2000, func(int) []byte { return message(0, 0, "t", nil, 1) })
	// hugeUser exceeds the client's limit of user properties, but largeUser does not.
	hugeUser  = user(300_000, 1)
	largeUser = user(900, 400)
	long      = strings.Repeat("l", 65_000)
)

// ids returns a function for a call of flood that sends n messages. The function returns the
// packet identifier of message i. An identifier recurs after 65,535 messages. By then, the
// page has acknowledged the previous message with that identifier.
func ids(p *peer, n int) func(i int) uint16 {
	return func(i int) uint16 { return uint16((p.turn*n+i)%65_535) + 1 }
}

var attacks = []attack{
	{name: "CONNACK, huge user properties", must: true, ends: []byte{quotaExceeded}, connack: func(p *peer) {
		p.send(packet(connack<<4, []byte{0, 0}, properties(hugeUser)))
	}},
	{name: "CONNACK, 900 user properties", connack: func(p *peer) {
		p.send(packet(connack<<4, []byte{0, 0}, properties(largeUser)))
	}},
	{name: "CONNACK, larger than the Maximum Packet Size", must: true, ends: []byte{packetTooLarge, quotaExceeded}, connack: func(p *peer) {
		p.send(packet(connack<<4, []byte{0, 0}, properties(user(300, 65_000))))
	}},
	{name: "PUBLISH QoS 0, tiny", flood: func(p *peer) { p.send(tiny) }},
	{name: "PUBLISH QoS 0, tiny, one per frame", flood: func(p *peer) { p.send(message(0, 0, "t", nil, 1)) }},
	{name: "PUBLISH QoS 0, tiny, 16 MB per frame", flood: func(p *peer) {
		p.send(many(16<<20/6, func(int) []byte { return message(0, 0, "t", nil, 0) }))
	}},
	{name: "PUBLISH QoS 0, retained", flood: func(p *peer) {
		p.send(many(500, func(i int) []byte {
			b := message(0, 0, fmt.Sprintf("r/%d/%d", p.turn, i), nil, 1)
			b[0] |= 1
			return b
		}))
	}},
	{name: "PUBLISH QoS 1, tiny", ends: []byte{receiveMaximum, quotaExceeded}, flood: func(p *peer) {
		id := ids(p, 500)
		p.send(many(500, func(i int) []byte { return message(1, id(i), "t", nil, 1) }))
	}},
	{name: "PUBLISH QoS 1, without reading", notReading: true, ends: []byte{receiveMaximum, quotaExceeded}, flood: func(p *peer) {
		id := ids(p, 500)
		p.send(many(500, func(i int) []byte { return message(1, id(i), "t", nil, 1) }))
	}},
	{name: "PUBLISH QoS 2, released", ends: []byte{receiveMaximum, quotaExceeded}, flood: func(p *peer) {
		id := ids(p, 500)
		p.send(many(500, func(i int) []byte { return append(message(2, id(i), "t", nil, 1), ack(pubrel, id(i), nil)...) }))
	}},
	{name: "PUBLISH QoS 2, never released", must: true, ends: []byte{receiveMaximum}, flood: func(p *peer) {
		id := ids(p, 500)
		p.send(many(500, func(i int) []byte { return message(2, id(i), "t", nil, 1) }))
	}},
	{name: "PUBLISH QoS 2, the same message", flood: func(p *peer) {
		p.send(many(500, func(i int) []byte {
			b := message(2, 1, "t", nil, 1)
			if p.turn+i > 0 {
				b[0] |= 8
			}
			return b
		}))
	}},
	{name: "PUBLISH of 16 MB", flood: func(p *peer) { p.send(message(0, 0, "t", nil, largestPacket-64)) }},
	{name: "PUBLISH larger than the Maximum Packet Size", must: true, ends: []byte{packetTooLarge}, flood: func(p *peer) {
		p.send(message(0, 0, "t", nil, largestPacket+1))
	}},
	{name: "PUBLISH, different topics of 65 kB", flood: func(p *peer) {
		p.send(many(16, func(i int) []byte { return message(0, 0, fmt.Sprintf("%s/%d/%d", long, p.turn, i), nil, 1) }))
	}},
	{name: "PUBLISH, different short topics", flood: func(p *peer) {
		p.send(many(1000, func(i int) []byte { return message(0, 0, fmt.Sprintf("d/%d/%d", p.turn, i), nil, 1) }))
	}},
	{name: "PUBLISH, aliases for topics of 65 kB", flood: func(p *peer) {
		p.send(many(16, func(i int) []byte {
			return message(0, 0, fmt.Sprintf("%s/%d/%d", long, p.turn, i), []byte{0x23, 0, byte((p.turn*16+i)%aliases + 1)}, 1)
		}))
	}},
	{name: "PUBLISH, alias above the maximum", must: true, ends: []byte{aliasInvalid}, flood: func(p *peer) {
		p.send(message(0, 0, "t", []byte{0x23, 0xff, 0xff}, 1))
	}},
	{name: "PUBLISH, huge user properties", must: true, ends: []byte{quotaExceeded}, flood: func(p *peer) {
		p.send(message(0, 0, "t", hugeUser, 1))
	}},
	{name: "PUBLISH, 900 user properties", flood: func(p *peer) { p.send(message(0, 0, "t", largeUser, 1)) }},
	{name: "PUBLISH, 20 user properties with more than 1 MiB", must: true, ends: []byte{quotaExceeded}, flood: func(p *peer) {
		p.send(message(0, 0, "t", user(20, 65_000), 1))
	}},
	{name: "PUBLISH, many subscription identifiers", must: true, ends: []byte{quotaExceeded, protocolError}, flood: func(p *peer) {
		p.send(message(0, 0, "t", []byte(strings.Repeat("\x0b\x01", 100_000)), 1))
	}},
	{name: "PUBACK and PUBREC, huge user properties", publishes: true, must: true, ends: []byte{quotaExceeded}, answer: func(first byte, id uint16, _ int) []byte {
		switch first & 0xf6 {
		case publish<<4 | 2:
			return ack(puback, id, hugeUser)
		case publish<<4 | 4:
			return ack(pubrec, id, hugeUser)
		}
		return nil
	}},
	{name: "PUBACK and PUBREC, 900 user properties", publishes: true, answer: func(first byte, id uint16, _ int) []byte {
		switch first & 0xf6 {
		case publish<<4 | 2:
			return ack(puback, id, largeUser)
		case publish<<4 | 4:
			return ack(pubrec, id, largeUser)
		case pubrel<<4 | 2:
			return ack(pubcomp, id, largeUser)
		}
		return nil
	}},
	{name: "PUBACK, unknown", ends: []byte{protocolError}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(puback, unknownID, nil) }))
	}},
	{name: "PUBACK, unknown, huge user properties", must: true, ends: []byte{quotaExceeded}, flood: func(p *peer) { p.send(ack(puback, unknownID, hugeUser)) }},
	{name: "PUBREC, unknown", ends: []byte{protocolError, quotaExceeded}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(pubrec, unknownID, nil) }))
	}},
	{name: "PUBREC, unknown, without reading", notReading: true, must: true, ends: []byte{protocolError, quotaExceeded}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(pubrec, unknownID, nil) }))
	}},
	{name: "PUBREL, unknown", ends: []byte{protocolError, quotaExceeded}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(pubrel, unknownID, nil) }))
	}},
	{name: "PUBREL, unknown, without reading", notReading: true, must: true, ends: []byte{protocolError, quotaExceeded}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(pubrel, unknownID, nil) }))
	}},
	{name: "PUBCOMP, unknown", ends: []byte{protocolError}, flood: func(p *peer) {
		p.send(many(2000, func(int) []byte { return ack(pubcomp, unknownID, nil) }))
	}},
	{name: "SUBACK with 400,000 codes", must: true, ends: []byte{protocolError, quotaExceeded}, answer: func(first byte, id uint16, filters int) []byte {
		if first>>4 == subscribe {
			return packet(suback<<4, number(id), properties(), make([]byte, 400_000))
		}
		return nil
	}},
	{name: "SUBACK, huge user properties", must: true, ends: []byte{quotaExceeded}, answer: func(first byte, id uint16, filters int) []byte {
		if first>>4 == subscribe {
			return packet(suback<<4, number(id), properties(hugeUser), make([]byte, filters))
		}
		return nil
	}},
	{name: "SUBACK and UNSUBACK, 900 user properties", subscribes: true, answer: func(first byte, id uint16, filters int) []byte {
		switch first >> 4 {
		case subscribe:
			return packet(suback<<4, number(id), properties(largeUser), make([]byte, filters))
		case unsubscribe:
			return packet(unsuback<<4, number(id), properties(largeUser), make([]byte, filters))
		}
		return nil
	}},
	{name: "UNSUBACK, huge user properties", subscribes: true, must: true, ends: []byte{quotaExceeded}, answer: func(first byte, id uint16, filters int) []byte {
		if first>>4 == unsubscribe {
			return packet(unsuback<<4, number(id), properties(hugeUser), make([]byte, filters))
		}
		return nil
	}},
	{name: "PINGRESP", ends: []byte{protocolError}, flood: func(p *peer) {
		p.send(many(10_000, func(int) []byte { return packet(pingresp << 4) }))
	}},
	{name: "DISCONNECT, 900 user properties", must: true, silent: true, ends: []byte{quotaExceeded}, flood: func(p *peer) {
		p.send(packet(disconnect<<4, []byte{0x8b}, properties(largeUser)))
	}},
	{name: "DISCONNECT, huge user properties", must: true, silent: true, ends: []byte{quotaExceeded}, flood: func(p *peer) {
		p.send(packet(disconnect<<4, []byte{0x8b}, properties(hugeUser)))
	}},
	{name: "AUTH", must: true, ends: []byte{protocolError}, flood: func(p *peer) {
		p.send(many(40, func(int) []byte { return packet(auth<<4, []byte{0x18}, properties(largeUser)) }))
	}},
	{name: "empty WebSocket messages", flood: func(p *peer) {
		for range 100 {
			p.send(nil)
		}
	}},
	{name: "text messages", must: true, silent: true, ends: []byte{malformed, protocolError}, flood: func(p *peer) {
		if p.ws.Write(p.ctx, websocket.MessageText, []byte("text")) == nil {
			p.sent.Add(1)
		}
	}},
	{name: "one packet in pieces of a byte", flood: func(p *peer) {
		whole := message(0, 0, "t", nil, largestPacket-64)
		for i := range whole {
			before := p.sent.Load()
			if p.send(whole[i : i+1]); p.sent.Load() == before || time.Now().After(p.until) {
				return
			}
		}
	}},
	{name: "one WebSocket message without an end", flood: endless},
}

// endless sends 64 MiB of one WebSocket message, and does not end the message.
func endless(p *peer) {
	w, err := p.ws.Writer(p.ctx, websocket.MessageBinary)
	if err != nil {
		return
	}
	piece := make([]byte, 64<<10)
	for range 64 << 20 / len(piece) {
		if _, err := w.Write(piece); err != nil {
			return
		}
		p.sent.Add(1)
		p.bytes.Add(int64(len(piece)))
	}
	<-p.ctx.Done()
}
