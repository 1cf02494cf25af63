package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// packetSize returns the sizes of the first packet in b and of its fixed header. Both are 0
// if b does not contain the complete fixed header.
func packetSize(b []byte) (size, header int) {
	if len(b) < 2 {
		return 0, 0
	}
	remaining, n := binary.Uvarint(b[1:]) // MQTT's Variable Byte Integers have the same encoding
	if n <= 0 {
		return 0, 0
	}
	return 1 + n + int(remaining), 1 + n
}

// The types of the packets that the lean peer receives: the upper four bits of the first byte.
const (
	connect    = 1
	publish    = 3
	puback     = 4
	subscribe  = 8
	pingreq    = 12
	disconnect = 14
)

var errMalformed = errors.New("malformed packet")

// packet handles a packet and appends the answer, if the packet has one.
func (k *conn) packet(p []byte, header int, answer []byte) ([]byte, error) {
	body := p[header:]
	switch p[0] >> 4 {
	case publish:
		return k.publish(p, body, answer)
	case puback:
		k.mu.Lock()
		k.inflight--
		k.changed.Broadcast()
		k.mu.Unlock()
		return answer, nil
	case connect:
		return k.connect(body, answer)
	case subscribe:
		return k.subscribe(body, answer)
	case pingreq:
		return append(answer, 0xD0, 0), nil
	case disconnect:
		return answer, io.EOF
	}
	return answer, fmt.Errorf("unexpected packet of type %d", p[0]>>4)
}

func (k *conn) connect(body, answer []byte) ([]byte, error) {
	if len(body) < 11 {
		return nil, errMalformed
	}
	k.version = body[6]
	if k.version < 5 {
		return append(answer, 0x20, 2, 0, 0), nil
	}
	if n, err := receiveMaximum(body[10:]); err != nil {
		return nil, err
	} else if n > 0 {
		k.receiveMaximum = n
	}
	return append(answer, 0x20, 6, 0, 0, 3, 0x21, 0xFF, 0xFF), nil
}

// receiveMaximum returns the Receive Maximum in the properties of CONNECT, or 0 if they
// contain none.
func receiveMaximum(b []byte) (int, error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < length {
		return 0, errMalformed
	}
	text := func(b []byte) int {
		if len(b) < 2 {
			return len(b) + 1
		}
		return 2 + int(binary.BigEndian.Uint16(b))
	}
	for b = b[n : n+int(length)]; len(b) > 0; {
		id := b[0]
		b = b[1:]
		size := 0
		switch id {
		case 0x17, 0x19:
			size = 1
		case 0x21, 0x22:
			size = 2
		case 0x11, 0x27:
			size = 4
		case 0x15, 0x16:
			size = text(b)
		case 0x26:
			if size = text(b); size <= len(b) {
				size += text(b[size:])
			}
		default:
			return 0, errMalformed
		}
		if size > len(b) {
			return 0, errMalformed
		}
		if id == 0x21 {
			return int(binary.BigEndian.Uint16(b)), nil
		}
		b = b[size:]
	}
	return 0, nil
}

func (k *conn) subscribe(body, answer []byte) ([]byte, error) {
	if len(body) < 3 {
		return nil, errMalformed
	}
	id, filters := body[:2], body[2:]
	if k.version == 5 {
		length, n := binary.Uvarint(filters)
		if n <= 0 || uint64(len(filters)-n) < length {
			return nil, errMalformed
		}
		filters = filters[n+int(length):]
	}
	var granted []byte
	for len(filters) > 0 {
		if len(filters) < 3 {
			return nil, errMalformed
		}
		n := 2 + int(binary.BigEndian.Uint16(filters))
		if len(filters) < n+1 {
			return nil, errMalformed
		}
		granted = append(granted, filters[n]&3)
		filters = filters[n+1:]
	}
	head := append([]byte{}, id...)
	if k.version == 5 {
		head = append(head, 0)
	}
	answer = binary.AppendUvarint(append(answer, 0x90), uint64(len(head)+len(granted)))
	return append(append(answer, head...), granted...), nil
}

func (k *conn) publish(p, body, answer []byte) ([]byte, error) {
	if len(body) < 2 {
		return nil, errMalformed
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	qos := p[0] >> 1 & 3
	if len(body) < end+2*int(min(qos, 1)) {
		return nil, errMalformed
	}
	if qos > 0 {
		answer = append(answer, 0x40, 2, body[end], body[end+1])
	} else if string(body[2:end]) == echoTopic {
		return append(answer, p...), nil
	}
	k.mu.Lock()
	k.expected--
	last := k.expected == 0
	k.mu.Unlock()
	if last {
		answer = k.appendEnd(answer)
	}
	return answer, nil
}

// appendPublish appends a PUBLISH without properties. id is ignored for QoS 0.
func (k *conn) appendPublish(to []byte, topic string, qos byte, id uint16, payload []byte) []byte {
	size := 2 + len(topic) + len(payload)
	if qos > 0 {
		size += 2
	}
	if k.version == 5 {
		size++
	}
	to = binary.AppendUvarint(append(to, 0x30|qos<<1), uint64(size))
	to = append(binary.BigEndian.AppendUint16(to, uint16(len(topic))), topic...)
	if qos > 0 {
		to = binary.BigEndian.AppendUint16(to, id)
	}
	if k.version == 5 {
		to = append(to, 0)
	}
	return append(to, payload...)
}
