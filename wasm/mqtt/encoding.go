package mqtt

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// packetType is the control packet type: the upper four bits of the first byte
// (table 2-1).
type packetType byte

const (
	typeConnect packetType = iota + 1
	typeConnack
	typePublish
	typePuback
	typePubrec
	typePubrel
	typePubcomp
	typeSubscribe
	typeSuback
	typeUnsubscribe
	typeUnsuback
	typePingreq
	typePingresp
	typeDisconnect
	typeAuth
)

var packetNames = [16]string{"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"}

func (t packetType) String() string { return packetNames[t&15] }

const (
	// maxVarint is the largest value of a Variable Byte Integer (section 1.5.5), and
	// therefore the largest Remaining Length.
	maxVarint = 268_435_455
	// maxFieldLen is the maximum length of a UTF-8 string or a binary field, in
	// bytes.
	maxFieldLen = 65_535
)

// readVarint decodes the Variable Byte Integer at the start of b. n is its length in
// bytes. n is 0 when b ends within the integer, and -1 when the integer has more than
// four bytes or more bytes than necessary [MQTT-1.5.5-1].
func readVarint(b []byte) (v uint32, n int) {
	for i := 0; i < len(b); i++ {
		v |= uint32(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 {
				return 0, -1
			}
			return v, i + 1
		}
		if i == 3 {
			return 0, -1
		}
	}
	return 0, 0
}

func appendVarint(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func varintLen(v int) int {
	switch {
	case v < 1<<7:
		return 1
	case v < 1<<14:
		return 2
	case v < 1<<21:
		return 3
	}
	return 4
}

// cutField splits b after its first field. A field consists of its length in two
// bytes, and that number of bytes.
func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, false
	}
	return b[2 : 2+n : 2+n], b[2+n:], true
}

func appendField(b, field []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(field))), field...)
}

// validString reports whether b is a valid UTF-8 string of MQTT
// [MQTT-1.5.4-1] [MQTT-1.5.4-2].
func validString(b []byte) bool {
	return bytes.IndexByte(b, 0) < 0 && utf8.Valid(b)
}
