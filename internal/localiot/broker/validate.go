package broker

import (
	"errors"
	"io"
	"slices"

	mqtt "github.com/mochi-mqtt/server/v2"
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

// next reads and validates one packet. It is needed because mochi-mqtt panics on some malformed packets
// (mochi-mqtt issue 501), closes the connection without a reason code on others, and does not enforce
// all limits that it announces. next returns a packets.Code if the packet is invalid, and otherwise the
// error of reading.
func (c *Conn) next() ([]byte, error) {
	first, err := c.reader.ReadByte()
	if err != nil {
		return nil, err
	}
	packet, remaining := append(c.packet[:0], first), 0
	for shift := 0; ; shift += 7 {
		b, err := c.reader.ReadByte()
		if err != nil {
			return nil, err
		}
		packet = append(packet, b)
		remaining |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
		if shift == 21 {
			return nil, packets.ErrMalformedVariableByteInteger // [MQTT-1.5.5]
		}
	}
	header := len(packet)
	if header+remaining > maximumPacketSize {
		return nil, packets.ErrPacketTooLarge // [MQTT-3.2.2-15]
	}
	packet = slices.Grow(packet, remaining)[:header+remaining]
	if _, err := io.ReadFull(c.reader, packet[header:]); err != nil {
		return nil, err
	}
	c.packet = packet

	pk, err := decode(packet, c.version)
	if err != nil {
		return nil, err
	}
	if err := c.validate(&pk, packet); err != nil {
		return nil, err
	}
	return packet, nil
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
	return pk, nil
}

// validate checks the rules that mochi-mqtt does not check, and passes packet identifiers to
// flowControl.
func (c *Conn) validate(pk *packets.Packet, packet []byte) error {
	kind := pk.FixedHeader.Type
	if kind == packets.Connect {
		if c.version == 0 {
			c.version = pk.ProtocolVersion
			c.emptyWill = pk.Connect.WillFlag && len(pk.Connect.WillPayload) == 0
		}
		return nil
	}
	if c.flow.client == nil {
		return packets.ErrProtocolViolationRequireFirstConnect // [MQTT-3.1.0-1]
	}
	if kind == packets.Subscribe && len(pk.Properties.SubscriptionIdentifier) > 0 {
		return packets.ErrSubscriptionIdentifiersNotSupported
	}
	if !c.broker.options.NoQuotas && len(pk.Filters) > maxFilters {
		return packets.ErrQuotaExceeded
	}
	if kind == packets.Publish {
		if err := c.validatePublish(pk); err != nil {
			return err
		}
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case pk.PacketID == 0:
		return nil // a PUBLISH with QoS 0, or an error that mochi-mqtt reports
	case kind == packets.Subscribe, kind == packets.Unsubscribe,
		kind == packets.Publish && pk.FixedHeader.Qos == 1:
		c.flow.renumber(packet)
	case kind == packets.Puback, kind == packets.Pubcomp,
		kind == packets.Pubrec && pk.ReasonCode >= packets.ErrUnspecifiedError.Code:
		c.enqueue(c.flow.acknowledge(pk.PacketID))
	}
	return nil
}

// validatePublish checks the QoS, the topic and the topic alias of a PUBLISH.
func (c *Conn) validatePublish(pk *packets.Packet) error {
	if pk.FixedHeader.Qos > c.broker.options.MaximumQoS {
		return packets.ErrQosNotSupported // [MQTT-3.2.2-11]
	}
	if !mqtt.IsValidFilter(pk.TopicName, true) {
		return packets.ErrTopicNameInvalid
	}
	if alias := pk.Properties.TopicAlias; int(alias) < len(c.aliases) { // mochi-mqtt refuses larger aliases
		if pk.TopicName == "" && !c.aliases[alias] {
			return packets.ErrProtocolViolationNoTopic // MQTT 5, 3.3.2.3.4
		}
		c.aliases[alias] = true
	}
	return nil
}
