package mqtt

import (
	"bytes"
	"io"
	"net"

	"github.com/eclipse/paho.golang/packets"
)

// A UserPair is a user property. In a list, names may repeat, and the order is
// significant.
type UserPair struct{ Name, Value string }

// A Subscription is a topic filter of a SUBSCRIBE and its options (section 3.8.3).
type Subscription struct {
	Filter            string // valid by ValidFilter
	QoS               byte   // 0, 1 or 2
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    byte // 0, 1 or 2
}

func appendPacket(b []byte, t packetType, flags byte, body net.Buffers) []byte {
	n := 0
	for _, part := range body {
		n += len(part)
	}
	b = append(b, byte(t)<<4|flags)
	b = appendVarint(b, uint32(n))
	for _, part := range body {
		b = append(b, part...)
	}
	return b
}

func appendSubscribe(b []byte, id uint16, subs []Subscription, user []UserPair) []byte {
	s := packets.Subscribe{PacketID: id, Properties: &packets.Properties{User: pahoUserProperties(user)}}
	for _, o := range subs {
		s.Subscriptions = append(s.Subscriptions, packets.SubOptions{
			Topic: o.Filter, QoS: o.QoS, NoLocal: o.NoLocal,
			RetainAsPublished: o.RetainAsPublished, RetainHandling: o.RetainHandling,
		})
	}
	return appendPacket(b, typeSubscribe, 2, s.Buffers())
}

func appendUnsubscribe(b []byte, id uint16, filters []string) []byte {
	u := packets.Unsubscribe{PacketID: id, Topics: filters, Properties: &packets.Properties{}}
	return appendPacket(b, typeUnsubscribe, 2, u.Buffers())
}

func appendPingreq(b []byte) []byte { return append(b, byte(typePingreq)<<4, 0) }

func appendDisconnect(b []byte, r Reason) []byte {
	if r == Success {
		return append(b, byte(typeDisconnect)<<4, 0)
	}
	// The packet has no properties (section 3.14.2.2.1), so that it is not larger than
	// minPacketSize.
	return append(b, byte(typeDisconnect)<<4, 1, byte(r))
}

// unpacker is a packet of paho. packets.ReadPacket is not used, because it would add the
// code of all types of packets to the wasm.
type unpacker interface{ Unpack(*bytes.Buffer) error }

// decodePacket decodes the body of a packet into p with paho. The caller must check the
// type and the flags before, and reason codes and extra bytes afterwards. decodePacket
// checks the properties, because paho does not. at is the offset of the properties in body.
func decodePacket(t packetType, p unpacker, body []byte, at int) *connectionFault {
	if len(body) < at {
		return malformed("%v is truncated", t)
	}
	if len(body) > at {
		if _, _, err := cutProperties(t, body[at:]); err != nil {
			return err
		}
	} else if t != typeDisconnect {
		return malformed("%v without properties", t)
	}
	// The packet refers to the buffer.
	if err := p.Unpack(bytes.NewBuffer(bytes.Clone(body))); err == io.EOF {
		return malformed("%v is truncated", t)
	} else if err != nil {
		return malformed("%v: %v", t, err)
	}
	return nil
}

// decodeSuback decodes a SUBACK or UNSUBACK.
func decodeSuback(t packetType, body []byte) (id uint16, codes []byte, reason string, err *connectionFault) {
	p := packets.Suback{Properties: &packets.Properties{}} // UNSUBACK has the same form (section 3.11)
	if err := decodePacket(t, &p, body, 2); err != nil {
		return 0, nil, "", err
	}
	id, codes, reason = p.PacketID, p.Reasons, p.Properties.ReasonString
	for _, c := range codes {
		if !Reason(c).validFrom(t) {
			return 0, nil, "", violation(ProtocolError, "%v with reason code 0x%02X", t, c)
		}
	}
	return id, codes, reason, nil
}

// decodeDisconnect decodes a DISCONNECT of the server.
func decodeDisconnect(body []byte) (*StopError, *connectionFault) {
	if len(body) == 0 { // the packet is valid (section 3.14.2.1), but paho rejects it
		return &StopError{}, nil
	}
	in := packets.Disconnect{Properties: &packets.Properties{}}
	if err := decodePacket(typeDisconnect, &in, body, 1); err != nil {
		return nil, err
	}
	if len(body) > 1 {
		if _, rest, _ := cutProperties(typeDisconnect, body[1:]); len(rest) > 0 {
			return nil, malformed("DISCONNECT has %d extra bytes", len(rest))
		}
	}
	d := &StopError{Reason: Reason(in.ReasonCode), Detail: in.Properties.ReasonString}
	if !d.Reason.validFrom(typeDisconnect) {
		return nil, violation(ProtocolError, "DISCONNECT with reason code 0x%02X", in.ReasonCode)
	}
	return d, nil
}

func pahoUserProperties(pairs []UserPair) (user []packets.User) {
	for _, p := range pairs {
		user = append(user, packets.User{Key: p.Name, Value: p.Value})
	}
	return user
}
