package broker

import (
	"errors"
	"io"
	"slices"

	"github.com/mochi-mqtt/server/v2/packets"
)

// decoders are the decoders of mochi-mqtt for the packets that a client may send. AWS IoT does not
// support AUTH.
var decoders = map[byte]func(*packets.Packet, []byte) error{
	packets.Connect:     (*packets.Packet).ConnectDecode,
	packets.Publish:     (*packets.Packet).PublishDecode,
	packets.Puback:      (*packets.Packet).PubackDecode,
	packets.Pubrec:      (*packets.Packet).PubrecDecode,
	packets.Pubrel:      (*packets.Packet).PubrelDecode,
	packets.Pubcomp:     (*packets.Packet).PubcompDecode,
	packets.Subscribe:   (*packets.Packet).SubscribeDecode,
	packets.Unsubscribe: (*packets.Packet).UnsubscribeDecode,
	packets.Pingreq:     (*packets.Packet).PingreqDecode,
	packets.Disconnect:  (*packets.Packet).DisconnectDecode,
}

// next reads and validates one packet. It returns a packets.Code if the packet is invalid, and otherwise
// the error of reading. The content of a PUBLISH, a CONNECT or a SUBSCRIBE may be kept; that of another
// packet is valid until the next call.
func (c *Conn) next() (pk packets.Packet, err error) {
	first, err := c.reader.ReadByte()
	if err != nil {
		return pk, err
	}
	header, remaining := [5]byte{first}, 0
	length := 1
	for shift := 0; ; shift += 7 {
		b, err := c.reader.ReadByte()
		if err != nil {
			return pk, err
		}
		header[length] = b
		length++
		remaining |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
		if shift == 21 {
			return pk, packets.ErrMalformedVariableByteInteger // [MQTT-1.5.5]
		}
	}
	if length+remaining > maximumPacketSize {
		return pk, packets.ErrPacketTooLarge // [MQTT-3.2.2-15]
	}
	packet := c.packet[:0]
	switch first >> 4 {
	case packets.Publish, packets.Connect, packets.Subscribe:
		packet = nil // The decoder does not copy strings and payloads.
	}
	packet = append(slices.Grow(packet, length+remaining), header[:length]...)
	packet = packet[:length+remaining]
	if _, err := io.ReadFull(c.reader, packet[length:]); err != nil {
		return pk, err
	}
	if packet[0]>>4 == packets.Puback {
		c.packet = packet
	}
	c.limitThroughput(len(packet))
	if pk, err = decode(packet, c.version); err != nil {
		return pk, err
	}
	return pk, c.validate(&pk)
}

// decode decodes a whole packet with the decoder of mochi-mqtt for the protocol version. If the decoder
// panics, decode returns ErrMalformedPacket. All its errors are of type packets.Code.
func decode(packet []byte, version byte) (pk packets.Packet, err error) {
	defer func() {
		if recover() != nil {
			err = packets.ErrMalformedPacket
		}
	}()
	if err := pk.FixedHeader.Decode(packet[0]); err != nil {
		return pk, err
	}
	decoder, ok := decoders[pk.FixedHeader.Type]
	if !ok {
		return pk, packets.ErrProtocolViolation
	}
	b := body(packet)
	pk.FixedHeader.Remaining = len(b)
	pk.ProtocolVersion = version
	if err := decoder(&pk, b); err != nil {
		var code packets.Code
		if errors.As(err, &code) {
			return pk, code
		}
		return pk, packets.ErrMalformedPacket
	}
	raiseExpiry(&pk, b)
	return pk, nil
}

// validate checks the rules of the protocol, and the quotas whose excess ends the connection.
func (c *Conn) validate(pk *packets.Packet) error {
	code := packets.CodeSuccess
	switch kind := pk.FixedHeader.Type; {
	case kind == packets.Connect:
	case c.version == 0:
		code = packets.ErrProtocolViolationRequireFirstConnect // [MQTT-3.1.0-1]
	case kind == packets.Publish:
		code = c.validatePublish(pk)
	case kind == packets.Subscribe:
		if code = pk.SubscribeValidate(); code == packets.CodeSuccess && len(pk.Properties.SubscriptionIdentifier) > 0 {
			code = packets.ErrSubscriptionIdentifiersNotSupported
		}
	case kind == packets.Unsubscribe:
		code = pk.UnsubscribeValidate()
	}
	if code == packets.CodeSuccess && !c.broker.options.NoQuotas && len(pk.Filters) > maxFilters {
		code = packets.ErrQuotaExceeded
	}
	if code != packets.CodeSuccess {
		return code
	}
	return nil
}

// validatePublish checks the QoS, the topic and the topic alias of a PUBLISH.
func (c *Conn) validatePublish(pk *packets.Packet) packets.Code {
	switch {
	case pk.FixedHeader.Qos > c.broker.options.MaximumQoS:
		return packets.ErrQosNotSupported // [MQTT-3.2.2-11]
	case hasWildcard(pk.TopicName):
		return packets.ErrTopicNameInvalid
	}
	return pk.PublishValidate(topicAliasMaximum)
}
