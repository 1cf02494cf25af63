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

// decodePacket decodes a whole packet with paho. The caller must check the type and
// the flags before, and reason codes and extra bytes afterwards. decodePacket checks
// the properties, because paho does not. at is the offset of the properties in body.
func decodePacket(t packetType, packet, body []byte, at int) (packets.Packet, *connectionFault) {
	if len(body) < at {
		return nil, malformed("%v is truncated", t)
	}
	if len(body) > at {
		if _, _, err := cutProperties(t, body[at:]); err != nil {
			return nil, err
		}
	} else if t != typeDisconnect {
		return nil, malformed("%v without properties", t)
	}
	cp, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil && err != io.EOF {
		return nil, malformed("%v: %v", t, err)
	}
	if err != nil {
		return nil, malformed("%v is truncated", t)
	}
	return cp.Content, nil
}

// decodeSuback decodes a SUBACK or UNSUBACK.
func decodeSuback(t packetType, packet, body []byte) (id uint16, codes []byte, reason string, err *connectionFault) {
	content, err := decodePacket(t, packet, body, 2)
	if err != nil {
		return 0, nil, "", err
	}
	switch p := content.(type) {
	case *packets.Suback:
		id, codes, reason = p.PacketID, p.Reasons, p.Properties.ReasonString
	case *packets.Unsuback:
		id, codes, reason = p.PacketID, p.Reasons, p.Properties.ReasonString
	}
	for _, c := range codes {
		if !Reason(c).validFrom(t) {
			return 0, nil, "", violation(ProtocolError, "%v with reason code 0x%02X", t, c)
		}
	}
	return id, codes, reason, nil
}

// decodeDisconnect decodes a DISCONNECT of the server.
func decodeDisconnect(packet, body []byte) (*StopError, *connectionFault) {
	if len(body) == 0 { // the packet is valid (section 3.14.2.1), but paho rejects it
		return &StopError{}, nil
	}
	content, err := decodePacket(typeDisconnect, packet, body, 1)
	if err != nil {
		return nil, err
	}
	in := content.(*packets.Disconnect)
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
