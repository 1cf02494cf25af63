package mqtt

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A UserPair is one user property: names may repeat, and order is kept.
type UserPair struct{ Name, Value string }

// A Will is the message that the server publishes when the connection ends
// without a DISCONNECT with reason code 0x00 (section 3.1.2.5).
type Will struct {
	Topic   string // valid by ValidTopic
	Payload []byte // at most 65,535 bytes
	QoS     byte
	Retain  bool
	Delay   uint32 // seconds after the end of the connection, [MQTT-3.1.3-9]

	// PayloadFormatUTF8 declares the payload as UTF-8 text (section 3.1.3.2.3).
	PayloadFormatUTF8 bool
	// MessageExpiry is the lifetime of the message in seconds, from the moment
	// when the server publishes it (section 3.1.3.2.4). nil: no limit.
	MessageExpiry *uint32
	ContentType   string // at most 65,535 bytes; "": none
	// ResponseTopic is the topic for a reply, valid by ValidTopic. "": none.
	ResponseTopic string
	// CorrelationData identifies the request to the recipient of the reply. It has
	// at most 65,535 bytes. Empty: none.
	CorrelationData []byte
	User            []UserPair
}

// ConnectOptions is what a CONNECT says (section 3.1). The zero value of a field
// leaves its property out.
type ConnectOptions struct {
	ClientID          string
	Username          *string
	Password          []byte // nil: none
	KeepAlive         uint16 // seconds; 0 turns it off
	CleanStart        bool
	SessionExpiry     uint32 // seconds; math.MaxUint32: for ever
	ReceiveMaximum    uint16
	MaximumPacketSize uint32 // bytes
	TopicAliasMaximum uint16
	AckTimeout        time.Duration // how long the server may take to acknowledge; 0: no bound
	Will              *Will
	User              []UserPair
}

// A Connack is what the server granted. Where a property was absent it holds
// the value that the standard gives its absence.
type Connack struct {
	SessionPresent       bool
	SameSession          bool // it is certainly the one of before
	Reason               Reason
	ReasonString         string
	ClientID             string // assigned or as asked for
	KeepAlive            uint16 // seconds, the one in force
	SessionExpiry        uint32 // seconds, the one in force
	ReceiveMaximum       uint16
	MaximumQoS           byte
	MaximumPacketSize    uint32 // bytes, math.MaxUint32: no bound
	TopicAliasMaximum    uint16
	RetainAvailable      bool
	WildcardAvailable    bool
	SharedAvailable      bool
	IdentifiersAvailable bool
	User                 []UserPair
}

// A Subscription is one filter of a SUBSCRIBE with its options (section 3.8.3).
type Subscription struct {
	Filter            string
	QoS               byte
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

// appendConnect encodes a CONNECT. The payload is put together here, as paho's
// encoder drops all properties of a will but its delay and user properties.
func appendConnect(b []byte, o *ConnectOptions) []byte {
	c := packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: o.ClientID,
		KeepAlive: o.KeepAlive, CleanStart: o.CleanStart,
		UsernameFlag: o.Username != nil, PasswordFlag: o.Password != nil, Password: o.Password,
		Properties: &packets.Properties{User: pahoUser(o.User)},
	}
	p := c.Properties
	p.SessionExpiryInterval = unlessZero(o.SessionExpiry)
	p.ReceiveMaximum = unlessZero(o.ReceiveMaximum)
	p.MaximumPacketSize = unlessZero(o.MaximumPacketSize)
	p.TopicAliasMaximum = unlessZero(o.TopicAliasMaximum)
	if o.Username != nil {
		c.Username = *o.Username
	}
	if o.Will == nil {
		return appendPacket(b, typeConnect, 0, c.Buffers())
	}
	w := o.Will
	c.WillFlag, c.WillQOS, c.WillRetain = true, w.QoS, w.Retain
	header := p.Pack(packets.CONNECT)
	body := appendField(nil, []byte(c.ProtocolName))
	body = append(body, c.ProtocolVersion, c.PackFlags(), byte(o.KeepAlive>>8), byte(o.KeepAlive))
	body = append(appendVarint(body, uint32(len(header))), header...)
	body = appendField(body, []byte(o.ClientID))
	will := w.properties()
	body = append(appendVarint(body, uint32(len(will))), will...)
	body = appendField(appendField(body, []byte(w.Topic)), w.Payload)
	if c.UsernameFlag {
		body = appendField(body, []byte(c.Username))
	}
	if c.PasswordFlag {
		body = appendField(body, o.Password)
	}
	return appendPacket(b, typeConnect, 0, net.Buffers{body})
}

func (w *Will) properties() []byte {
	var b []byte
	if w.Delay != 0 {
		b = append(b, packets.PropWillDelayInterval, byte(w.Delay>>24), byte(w.Delay>>16), byte(w.Delay>>8), byte(w.Delay))
	}
	p := packets.Properties{
		ContentType: w.ContentType, ResponseTopic: w.ResponseTopic, CorrelationData: w.CorrelationData,
		MessageExpiry: w.MessageExpiry, User: pahoUser(w.User),
	}
	if w.PayloadFormatUTF8 {
		p.PayloadFormat = new(byte(1))
	}
	return append(b, p.Pack(packets.PUBLISH)...)
}

func appendSubscribe(b []byte, id uint16, subs []Subscription, user []UserPair) []byte {
	s := packets.Subscribe{PacketID: id, Properties: &packets.Properties{User: pahoUser(user)}}
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
	// The shortest form [MQTT-3.14.2-1]: it passes any Maximum Packet Size that we accept.
	return append(b, byte(typeDisconnect)<<4, 1, byte(r))
}

// decode hands one whole packet to paho. The caller has checked its type and
// flags; what paho would take on trust (lengths, properties, reason codes) is
// checked here first: at is where the property section begins in body.
func decode(t packetType, packet, body []byte, at int) (packets.Packet, *connectionError) {
	if len(body) < at {
		return nil, malformed("%v is cut short", t)
	}
	if len(body) > at {
		if _, _, err := cutProperties(t, body[at:]); err != nil {
			return nil, err
		}
	} else if t != typeDisconnect {
		return nil, malformed("%v has no properties section", t)
	}
	cp, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil && err != io.EOF {
		return nil, malformed("%v: %v", t, err)
	}
	if err != nil {
		return nil, malformed("%v is cut short", t)
	}
	return cp.Content, nil
}

// decodeConnack reads a CONNACK that answers o.
func decodeConnack(packet, body []byte, o *ConnectOptions) (*Connack, *connectionError) {
	if len(body) == 2 { // it has no properties: the form of MQTT 3.1.1
		return &Connack{Reason: UnsupportedVersion, ReasonString: "it answers in MQTT 3.1.1"}, nil
	}
	if len(body) >= 1 && body[0] > 1 {
		return nil, malformed("CONNACK with reserved flags set") // [MQTT-3.2.2-1]
	}
	content, werr := decode(typeConnack, packet, body, 2)
	if werr != nil {
		return nil, werr
	}
	in := content.(*packets.Connack)
	p := in.Properties
	if _, rest, _ := cutProperties(typeConnack, body[2:]); len(rest) > 0 {
		return nil, malformed("CONNACK has %d bytes too many", len(rest))
	}
	out := &Connack{
		SessionPresent: in.SessionPresent, Reason: Reason(in.ReasonCode), ReasonString: p.ReasonString,
		ClientID:       cmp.Or(p.AssignedClientID, o.ClientID),
		KeepAlive:      or(p.ServerKeepAlive, o.KeepAlive), // the server's wins [MQTT-3.2.2-21]
		SessionExpiry:  or(p.SessionExpiryInterval, o.SessionExpiry),
		ReceiveMaximum: or(p.ReceiveMaximum, math.MaxUint16), MaximumQoS: or(p.MaximumQOS, 2),
		MaximumPacketSize: or(p.MaximumPacketSize, math.MaxUint32), TopicAliasMaximum: or(p.TopicAliasMaximum, 0),
		RetainAvailable: or(p.RetainAvailable, 1) == 1, WildcardAvailable: or(p.WildcardSubAvailable, 1) == 1,
		SharedAvailable: or(p.SharedSubAvailable, 1) == 1, IdentifiersAvailable: or(p.SubIDAvailable, 1) == 1,
	}
	for _, u := range p.User {
		out.User = append(out.User, UserPair{u.Key, u.Value})
	}
	if !out.Reason.validFrom(typeConnack) {
		return nil, violation(ProtocolError, "CONNACK with reason code 0x%02X", byte(out.Reason))
	}
	if out.Reason != Success && out.SessionPresent {
		return nil, violation(ProtocolError, "CONNACK refuses with session present") // [MQTT-3.2.2-6]
	}
	return out, nil
}

// decodeSuback reads a SUBACK or UNSUBACK.
func decodeSuback(t packetType, packet, body []byte) (id uint16, codes []byte, reason string, err *connectionError) {
	content, err := decode(t, packet, body, 2)
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

// A Disconnect is the server's farewell.
type Disconnect struct {
	Reason       Reason
	ReasonString string
}

func decodeDisconnect(packet, body []byte) (*Disconnect, *connectionError) {
	if len(body) == 0 { // valid, and refused by paho
		return &Disconnect{}, nil
	}
	content, err := decode(typeDisconnect, packet, body, 1)
	if err != nil {
		return nil, err
	}
	in := content.(*packets.Disconnect)
	if len(body) > 1 {
		if _, rest, _ := cutProperties(typeDisconnect, body[1:]); len(rest) > 0 {
			return nil, malformed("DISCONNECT has %d bytes too many", len(rest))
		}
	}
	d := &Disconnect{Reason(in.ReasonCode), in.Properties.ReasonString}
	if !d.Reason.validFrom(typeDisconnect) {
		return nil, violation(ProtocolError, "DISCONNECT with reason code 0x%02X", in.ReasonCode)
	}
	return d, nil
}

func pahoUser(pairs []UserPair) (user []packets.User) {
	for _, p := range pairs {
		user = append(user, packets.User{Key: p.Name, Value: p.Value})
	}
	return user
}

func unlessZero[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func or[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}
