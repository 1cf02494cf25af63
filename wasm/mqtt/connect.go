package mqtt

import (
	"cmp"
	"math"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A Will is the message that the server publishes when the connection ends
// without a DISCONNECT with reason code 0x00 (section 3.1.2.5).
type Will struct {
	Topic   string // valid by ValidTopic
	Payload []byte // at most 65,535 bytes
	QoS     byte   // 0, 1 or 2
	Retain  bool
	Delay   uint32 // seconds from the end of the connection, [MQTT-3.1.3-9]

	// PayloadFormatUTF8 declares the payload as UTF-8 text (section 3.1.3.2.3).
	PayloadFormatUTF8 bool
	// MessageExpiry is the lifetime of the message in seconds. It begins when the
	// server publishes the message (section 3.1.3.2.4). nil: no limit.
	MessageExpiry *uint32
	ContentType   string // at most 65,535 bytes; "": none
	// ResponseTopic is the topic for a reply, valid by ValidTopic. "": none.
	ResponseTopic string
	// CorrelationData identifies the request to the recipient of the reply. It has
	// at most 65,535 bytes. Empty: none.
	CorrelationData []byte
	User            []UserPair
}

// ConnectOptions has the fields of a CONNECT (section 3.1), and AckTimeout. If a
// field is zero, the CONNECT does not contain its property.
type ConnectOptions struct {
	ClientID          string
	Username          *string // nil: none
	Password          []byte  // nil: none
	KeepAlive         uint16  // seconds; 0: off
	CleanStart        bool
	SessionExpiry     uint32 // seconds; 0: at the end of the connection, math.MaxUint32: never
	ReceiveMaximum    uint16 // messages of QoS 1 and 2; 0: 65,535
	MaximumPacketSize uint32 // bytes; 0: no limit
	TopicAliasMaximum uint16 // 0: no aliases
	Will              *Will  // nil: none
	User              []UserPair
	// AckTimeout is the time in which the server must acknowledge a packet. When it
	// expires, the engine ends the connection. 0: no limit.
	AckTimeout time.Duration
}

// A Connack has the fields of a CONNACK (section 3.2). For an absent property it
// has the value that the standard defines.
type Connack struct {
	SessionPresent bool
	// SameSession is true when a session is present, and the server has answered each
	// CONNECT since the last connection. If the server did not answer a CONNECT, it may
	// have replaced the session.
	SameSession          bool
	Reason               Reason
	ReasonString         string // "": none
	ClientID             string // the assigned identifier, or that of the CONNECT
	KeepAlive            uint16 // seconds; the server's value if it sent one
	SessionExpiry        uint32 // seconds; the server's value if it sent one
	ReceiveMaximum       uint16 // messages of QoS 1 and 2
	MaximumQoS           byte   // 0, 1 or 2
	MaximumPacketSize    uint32 // bytes; math.MaxUint32: no limit
	TopicAliasMaximum    uint16
	RetainAvailable      bool
	WildcardAvailable    bool
	SharedAvailable      bool
	IdentifiersAvailable bool
	User                 []UserPair
}

// appendConnect encodes a CONNECT. With a will it does not use paho's encoder,
// which omits most properties of a will.
func appendConnect(b []byte, o *ConnectOptions) []byte {
	c := packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: o.ClientID,
		KeepAlive: o.KeepAlive, CleanStart: o.CleanStart,
		UsernameFlag: o.Username != nil, PasswordFlag: o.Password != nil, Password: o.Password,
		Properties: &packets.Properties{User: pahoUserProperties(o.User)},
	}
	p := c.Properties
	p.SessionExpiryInterval = nonZero(o.SessionExpiry)
	p.ReceiveMaximum = nonZero(o.ReceiveMaximum)
	p.MaximumPacketSize = nonZero(o.MaximumPacketSize)
	p.TopicAliasMaximum = nonZero(o.TopicAliasMaximum)
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

// properties encodes the will properties (section 3.1.3.2), without their length.
func (w *Will) properties() []byte {
	var b []byte
	if w.Delay != 0 {
		b = append(b, packets.PropWillDelayInterval, byte(w.Delay>>24), byte(w.Delay>>16), byte(w.Delay>>8), byte(w.Delay))
	}
	p := packets.Properties{
		ContentType: w.ContentType, ResponseTopic: w.ResponseTopic, CorrelationData: w.CorrelationData,
		MessageExpiry: w.MessageExpiry, User: pahoUserProperties(w.User),
	}
	if w.PayloadFormatUTF8 {
		p.PayloadFormat = new(byte(1))
	}
	return append(b, p.Pack(packets.PUBLISH)...)
}

// decodeConnack decodes the CONNACK for a CONNECT with the options o.
func decodeConnack(body []byte, o *ConnectOptions) (*Connack, *connectionFault) {
	if len(body) == 2 { // without properties: a CONNACK of MQTT 3.1.1
		return &Connack{Reason: UnsupportedVersion, ReasonString: "the server uses MQTT 3.1.1"}, nil
	}
	if len(body) >= 1 && body[0] > 1 {
		return nil, malformed("CONNACK with reserved flags") // [MQTT-3.2.2-1]
	}
	in := packets.Connack{Properties: &packets.Properties{}}
	if fault := decodePacket(typeConnack, &in, body, 2); fault != nil {
		return nil, fault
	}
	p := in.Properties
	if _, rest, _ := cutProperties(typeConnack, body[2:]); len(rest) > 0 {
		return nil, malformed("CONNACK has %d extra bytes", len(rest))
	}
	out := &Connack{
		SessionPresent: in.SessionPresent, Reason: Reason(in.ReasonCode), ReasonString: p.ReasonString,
		ClientID:       cmp.Or(p.AssignedClientID, o.ClientID),
		KeepAlive:      valueOr(p.ServerKeepAlive, o.KeepAlive), // [MQTT-3.2.2-21]
		SessionExpiry:  valueOr(p.SessionExpiryInterval, o.SessionExpiry),
		ReceiveMaximum: valueOr(p.ReceiveMaximum, math.MaxUint16), MaximumQoS: valueOr(p.MaximumQOS, 2),
		MaximumPacketSize: valueOr(p.MaximumPacketSize, math.MaxUint32), TopicAliasMaximum: valueOr(p.TopicAliasMaximum, 0),
		RetainAvailable: valueOr(p.RetainAvailable, 1) == 1, WildcardAvailable: valueOr(p.WildcardSubAvailable, 1) == 1,
		SharedAvailable: valueOr(p.SharedSubAvailable, 1) == 1, IdentifiersAvailable: valueOr(p.SubIDAvailable, 1) == 1,
	}
	for _, u := range p.User {
		out.User = append(out.User, UserPair{u.Key, u.Value})
	}
	if !out.Reason.validFrom(typeConnack) {
		return nil, violation(ProtocolError, "CONNACK with reason code 0x%02X", byte(out.Reason))
	}
	if out.Reason != Success && out.SessionPresent {
		return nil, violation(ProtocolError, "CONNACK with a failure and session present") // [MQTT-3.2.2-6]
	}
	return out, nil
}

// nonZero returns a pointer to v, or nil if v is zero. paho omits a property that is
// nil.
func nonZero[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// valueOr returns *p, or absent if p is nil.
func valueOr[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}
