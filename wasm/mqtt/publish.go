package mqtt

import (
	"bytes"
	"encoding/binary"
)

// A Publish is a received message. Its slices are valid until [Engine.Receive]
// returns. Clone makes a copy.
type Publish struct {
	Topic      []byte // never empty
	Payload    []byte
	Properties []byte // encoded and checked; see NextProperty
	Packet     []byte // the whole packet, with its fixed header
	// Missing is the number of bytes that follow Payload and Packet in the bytes that the
	// caller of [Engine.ReceivePart] has. Usually it is 0.
	Missing   int
	TopicHash uint32 // a hash of Topic
	QoS       byte
	Retain    bool
	Duplicate bool
	Ticket    uint32 // set at QoS 1 and 2; see Engine.Acknowledge

	packetID uint16
	alias    uint16
}

// Clone returns a copy of m that shares no memory with it. m.Missing must be 0.
func (m *Publish) Clone() Publish {
	c := *m
	c.Packet = bytes.Clone(m.Packet)
	c.Topic = bytes.Clone(m.Topic)
	end := len(c.Packet) - len(m.Payload)
	c.Payload = c.Packet[end:]
	c.Properties = c.Packet[end-len(m.Properties) : end]
	return c
}

// decodePublish decodes the body of a PUBLISH into p (section 3.3). flags are the
// lower four bits of the first byte. p.Topic is empty when the packet has only an
// alias.
func decodePublish(p *Publish, flags byte, body []byte) *connectionFault {
	p.QoS, p.Retain, p.Duplicate = flags>>1&3, flags&1 != 0, flags&8 != 0
	p.Ticket, p.packetID, p.alias, p.Missing = 0, 0, 0, 0
	if p.QoS == 3 {
		return malformed("PUBLISH with QoS 3") // [MQTT-3.3.1-4]
	}
	if p.QoS == 0 && p.Duplicate {
		return malformed("PUBLISH with DUP at QoS 0") // [MQTT-3.3.1-2]
	}
	var ok bool
	if p.Topic, body, ok = cutField(body); !ok {
		return malformed("PUBLISH is truncated in its topic")
	}
	if p.QoS > 0 {
		if len(body) < 2 {
			return malformed("PUBLISH is truncated in its packet identifier")
		}
		p.packetID, body = binary.BigEndian.Uint16(body), body[2:]
		if p.packetID == 0 {
			return violation(ProtocolError, "PUBLISH with packet identifier 0") // [MQTT-2.2.1-3]
		}
	}
	var err *connectionFault
	if p.Properties, p.Payload, err = cutProperties(typePublish, body); err != nil {
		return err
	}
	for rest := p.Properties; len(rest) > 0; {
		var prop Property
		prop, rest, _ = decodeProperty(rest)
		if prop.ID == TopicAlias {
			p.alias = uint16(prop.Number)
		}
	}
	if len(p.Topic) == 0 {
		if p.alias == 0 {
			return violation(ProtocolError, "PUBLISH with neither topic nor topic alias")
		}
		return nil
	}
	p.TopicHash, _ = scanTopic(p.Topic)
	switch err := ValidTopic(p.Topic); err {
	case nil:
		return nil
	case errTopicWildcard:
		return violation(TopicNameInvalid, "PUBLISH to a topic with a wildcard") // [MQTT-3.3.2-2]
	default:
		return malformed("PUBLISH: invalid topic: %v", err)
	}
}

// decodeSimplePublish decodes the packet at the start of b into p, and returns its size, if the
// packet is a PUBLISH as most servers send it: of QoS 0 or 1, without DUP, without properties,
// with a simple topic (see scanTopic) and a Remaining Length of at most two bytes. For all
// other packets, and if b does not contain the whole packet, the result is 0. decodePublish
// would decode such a packet alike, but takes longer: in the wasm, calls and jumps are slow.
func decodeSimplePublish(p *Publish, b []byte) (size int) {
	if len(b) < 8 {
		return 0
	}
	qos, long := b[0]>>1&1, int(b[1]>>7)
	size = 2 + long + int(b[1]&0x7f) + int(b[2])<<7*long
	topic := 4 + long
	end := topic + int(b[2+long])<<8 + int(b[3+long])
	props := end + int(qos)*2
	if b[0]&^3 != byte(typePublish)<<4 || b[1]&b[2] >= 0x80 || long > int(b[2]) || size > len(b) || props >= size || b[props] != 0 {
		return 0
	}
	hash, simple := scanTopic(b[topic:end])
	if !simple {
		return 0
	}
	p.packetID = 0
	if qos > 0 {
		if p.packetID = uint16(b[end])<<8 | uint16(b[end+1]); p.packetID == 0 {
			return 0
		}
	}
	p.Topic, p.Payload, p.Properties, p.Packet = b[topic:end:end], b[props+1:size:size], nil, b[:size:size]
	p.QoS, p.Retain, p.Duplicate, p.Missing = qos, b[0]&1 != 0, false, 0
	p.TopicHash, p.Ticket, p.alias = hash, 0, 0
	return size
}

// completeHeader reports whether b contains all of the body of a PUBLISH that precedes the
// payload. flags are the lower four bits of the first byte of the packet.
func completeHeader(flags byte, b []byte) bool {
	_, b, ok := cutField(b)
	if !ok {
		return false
	}
	if flags&6 != 0 { // QoS 1 and 2: the packet identifier
		if len(b) < 2 {
			return false
		}
		b = b[2:]
	}
	n, used := readVarint(b)
	return used != 0 && int(n) <= len(b)-used
}

// publishLen returns the Remaining Length of a PUBLISH. If alias is 0, the PUBLISH
// has no topic alias.
func publishLen(topic, props, payload []byte, qos byte, alias uint16) int {
	p := len(props)
	if alias != 0 {
		p += 3
	}
	n := 2 + len(topic) + varintLen(p) + p + len(payload)
	if qos > 0 {
		n += 2
	}
	return n
}

// appendPublish encodes a PUBLISH. topic is empty when alias has been sent before. If
// alias is 0, the PUBLISH has no topic alias. props are encoded properties without a
// topic alias.
func appendPublish(b, topic, props, payload []byte, qos byte, retain, dup bool, id, alias uint16) []byte {
	first := byte(typePublish)<<4 | qos<<1
	if retain {
		first |= 1
	}
	if dup {
		first |= 8
	}
	b = append(b, first)
	b = appendVarint(b, uint32(publishLen(topic, props, payload, qos, alias)))
	b = appendField(b, topic)
	if qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	if alias != 0 {
		b = appendVarint(b, uint32(len(props)+3))
		b = append(b, byte(TopicAlias), byte(alias>>8), byte(alias))
	} else {
		b = appendVarint(b, uint32(len(props)))
	}
	b = append(b, props...)
	return append(b, payload...)
}

// An ack is a PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7).
type ack struct {
	id     uint16
	reason Reason
	props  []byte // encoded and checked; see NextProperty
}

func decodeAck(t packetType, body []byte) (a ack, err *connectionFault) {
	if len(body) < 2 {
		return a, malformed("%v is truncated", t)
	}
	a.id = binary.BigEndian.Uint16(body)
	if a.id == 0 {
		return a, violation(ProtocolError, "%v with packet identifier 0", t)
	}
	if len(body) > 2 {
		a.reason = Reason(body[2])
	}
	if len(body) > 3 {
		var rest []byte
		if a.props, rest, err = cutProperties(t, body[3:]); err != nil {
			return a, err
		}
		if len(rest) > 0 {
			return a, malformed("%v has %d extra bytes", t, len(rest))
		}
	}
	if !a.reason.validFrom(t) {
		return a, violation(ProtocolError, "%v with reason code 0x%02X", t, byte(a.reason))
	}
	return a, nil
}

func appendAck(b []byte, t packetType, id uint16, r Reason) []byte {
	first := byte(t) << 4
	if t == typePubrel {
		first |= 2
	}
	if r == Success {
		return append(b, first, 2, byte(id>>8), byte(id))
	}
	return append(b, first, 3, byte(id>>8), byte(id), byte(r))
}
