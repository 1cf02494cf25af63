package broker

import (
	"encoding/binary"

	"github.com/mochi-mqtt/server/v2/packets"
)

// raiseExpiry sets the Message Expiry Interval of a PUBLISH or of a will to 1 if the packet has the
// interval 0. As the minimum is 1 s, AWS IoT does so ("MQTT", Message expiry). mochi-mqtt's decoder does not
// distinguish the interval 0 from none. body is the packet without its fixed header; the decoder has
// accepted it.
func raiseExpiry(pk *packets.Packet, body []byte) {
	if pk.ProtocolVersion != 5 {
		return
	}
	switch pk.FixedHeader.Type {
	case packets.Publish:
		if pk.Properties.MessageExpiryInterval > 0 {
			return
		}
		rest := skip(body)
		if pk.FixedHeader.Qos > 0 {
			rest = drop(rest, 2)
		}
		if hasExpiry(rest) {
			pk.Properties.MessageExpiryInterval = 1
		}
	case packets.Connect:
		p := &pk.Connect
		if !p.WillFlag || p.WillProperties.MessageExpiryInterval > 0 {
			return
		}
		rest := drop(skip(body), 4) // the protocol name; the version, the flags and the keep-alive
		if length, n := binary.Uvarint(rest); n > 0 {
			rest = drop(rest, n+int(length))
		}
		if hasExpiry(skip(rest)) { // after the client id
			p.WillProperties.MessageExpiryInterval = 1
		}
	}
}

// hasExpiry reports whether the properties at the begin of b contain a Message Expiry Interval.
func hasExpiry(b []byte) bool {
	length, n := binary.Uvarint(b) // has the encoding of a Variable Byte Integer
	if n <= 0 || length > uint64(len(b)-n) {
		return false
	}
	b = b[n : n+int(length)]
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		switch kind {
		case packets.PropMessageExpiryInterval:
			return true
		case packets.PropPayloadFormat:
			b = drop(b, 1)
		case packets.PropTopicAlias:
			b = drop(b, 2)
		case packets.PropWillDelayInterval:
			b = drop(b, 4)
		case packets.PropUser:
			b = skip(skip(b))
		default: // strings and binary data
			b = skip(b)
		}
	}
	return false
}

// skip removes a string or binary data at the begin of b.
func skip(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	return drop(b, 2+int(binary.BigEndian.Uint16(b)))
}

// drop removes n bytes at the begin of b.
func drop(b []byte, n int) []byte {
	if n < 0 || n > len(b) {
		return nil
	}
	return b[n:]
}
