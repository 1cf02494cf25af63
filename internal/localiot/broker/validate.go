package broker

import (
	"errors"
	"io"
	"slices"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// decoders know the packets that a client may send. AUTH is not among them, as with AWS IoT.
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

// next reads one packet, and lets it pass if the broker can be trusted with it. The broker itself
// panics at some malformed ones (mochi-mqtt issue 501), closes without a reason at others, and does
// not keep all of the limits that it announces. The error is a packets.Code, or the connection's.
func (c *Conn) next() ([]byte, error) {
	first, err := c.in.ReadByte()
	if err != nil {
		return nil, err
	}
	packet, remaining := append(c.packet[:0], first), 0
	for shift := 0; ; shift += 7 {
		b, err := c.in.ReadByte()
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
	if _, err := io.ReadFull(c.in, packet[header:]); err != nil {
		return nil, err
	}
	c.packet = packet

	pk, err := decode(packet, c.version)
	if err != nil {
		return nil, err
	}
	if err := c.inspect(&pk, packet); err != nil {
		return nil, err
	}
	return packet, nil
}

// decode decodes a packet of that version of the protocol with the broker's own decoder.
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

// inspect checks what the broker would let pass, and keeps the connection's flow.
func (c *Conn) inspect(pk *packets.Packet, packet []byte) error {
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
		if err := c.inspectPublish(pk); err != nil {
			return err
		}
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case pk.PacketID == 0:
		return nil // a QoS 0 PUBLISH, or an error that the broker finds
	case kind == packets.Subscribe, kind == packets.Unsubscribe,
		kind == packets.Publish && pk.FixedHeader.Qos == 1:
		c.flow.ask(packet)
	case kind == packets.Puback, kind == packets.Pubcomp,
		kind == packets.Pubrec && pk.ReasonCode >= packets.ErrUnspecifiedError.Code:
		c.queue(c.flow.acknowledged(pk.PacketID))
	}
	return nil
}

func (c *Conn) inspectPublish(pk *packets.Packet) error {
	if pk.FixedHeader.Qos > c.broker.options.MaximumQoS {
		return packets.ErrQosNotSupported // [MQTT-3.2.2-11]
	}
	if !mqtt.IsValidFilter(pk.TopicName, true) {
		return packets.ErrTopicNameInvalid
	}
	if alias := pk.Properties.TopicAlias; int(alias) < len(c.aliases) { // the broker refuses larger ones
		if pk.TopicName == "" && !c.aliases[alias] {
			return packets.ErrProtocolViolationNoTopic // MQTT 5, 3.3.2.3.4
		}
		c.aliases[alias] = true
	}
	return nil
}
