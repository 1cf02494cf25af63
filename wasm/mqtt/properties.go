package mqtt

import "encoding/binary"

// A PropertyID identifies a property (table 2-4).
type PropertyID byte

// The properties of a PUBLISH.
const (
	PayloadFormat          PropertyID = 1
	MessageExpiry          PropertyID = 2
	ContentType            PropertyID = 3
	ResponseTopic          PropertyID = 8
	CorrelationData        PropertyID = 9
	SubscriptionIdentifier PropertyID = 11
	TopicAlias             PropertyID = 35
	UserProperty           PropertyID = 38
)

const (
	propReceiveMaximum    PropertyID = 33
	propMaximumQoS        PropertyID = 36
	propMaximumPacketSize PropertyID = 39
)

// A Property is a decoded property. Its type determines which fields are set. The
// slices refer to the encoded properties.
type Property struct {
	ID     PropertyID
	Number uint32 // the value, if it is a number
	Data   []byte // the value, if it is a string or binary data; the name of a user property
	Value  []byte // the value of a user property
}

type propertyKind byte

const (
	kindNone propertyKind = iota
	kindBool              // a byte that may be 0 or 1
	kindUint16
	kindUint32
	kindVarint
	kindString
	kindBinary
	kindStringPair
)

// propertyTable has an entry for each property that a server may send, and for each
// property of a PUBLISH of the client. in has a bit for each packet type that may
// contain the property.
var propertyTable = [43]struct {
	kind propertyKind
	in   uint16
}{
	1:  {kindBool, 1 << typePublish},
	2:  {kindUint32, 1 << typePublish},
	3:  {kindString, 1 << typePublish},
	8:  {kindString, 1 << typePublish},
	9:  {kindBinary, 1 << typePublish},
	11: {kindVarint, 1 << typePublish},
	17: {kindUint32, 1 << typeConnack}, // in DISCONNECT only from a client [MQTT-3.14.2-2]
	18: {kindString, 1 << typeConnack},
	19: {kindUint16, 1 << typeConnack},
	// 21 and 22, authentication, need an authentication method in CONNECT [MQTT-4.12.0-6]
	26: {kindString, 1 << typeConnack},
	28: {kindString, 1<<typeConnack | 1<<typeDisconnect},
	31: {kindString, 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typePubrel | 1<<typePubcomp | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	33: {kindUint16, 1 << typeConnack},
	34: {kindUint16, 1 << typeConnack},
	35: {kindUint16, 1 << typePublish},
	36: {kindBool, 1 << typeConnack},
	37: {kindBool, 1 << typeConnack},
	38: {kindStringPair, 1<<typeConnack | 1<<typePublish | 1<<typePuback | 1<<typePubrec | 1<<typePubrel | 1<<typePubcomp | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	39: {kindUint32, 1 << typeConnack},
	40: {kindBool, 1 << typeConnack},
	41: {kindBool, 1 << typeConnack},
	42: {kindBool, 1 << typeConnack},
}

// NextProperty decodes the first property of raw. raw must be valid, as the Properties
// of a [Publish] are. rest is the part of raw after the property. ok is false when raw
// is empty. NextProperty does not allocate.
func NextProperty(raw []byte) (p Property, rest []byte, ok bool) {
	p, rest, err := decodeProperty(raw)
	return p, rest, err == nil && len(raw) > 0
}

// decodeProperty decodes the first property of b. It does not check the value.
func decodeProperty(b []byte) (p Property, rest []byte, err *connectionFault) {
	if len(b) == 0 {
		return p, nil, nil
	}
	p.ID, rest = PropertyID(b[0]), b[1:]
	kind := kindNone
	if int(p.ID) < len(propertyTable) {
		kind = propertyTable[p.ID].kind
	}
	ok := true
	switch kind {
	case kindNone:
		return p, nil, malformed("unknown property %d", p.ID)
	case kindBool:
		if ok = len(rest) >= 1; ok {
			p.Number, rest = uint32(rest[0]), rest[1:]
		}
	case kindUint16:
		if ok = len(rest) >= 2; ok {
			p.Number, rest = uint32(binary.BigEndian.Uint16(rest)), rest[2:]
		}
	case kindUint32:
		if ok = len(rest) >= 4; ok {
			p.Number, rest = binary.BigEndian.Uint32(rest), rest[4:]
		}
	case kindVarint:
		v, n := readVarint(rest)
		if ok = n > 0; ok {
			p.Number, rest = v, rest[n:]
		}
	case kindString, kindBinary:
		p.Data, rest, ok = cutField(rest)
	case kindStringPair:
		if p.Data, rest, ok = cutField(rest); ok {
			p.Value, rest, ok = cutField(rest)
		}
	}
	if !ok {
		return p, nil, malformed("property %d is truncated", p.ID)
	}
	return p, rest, nil
}

// checkProperties checks the properties in b for a packet of type t. It returns a
// fault for the first property that is malformed, has an invalid value, is not allowed
// in the packet, or must not be repeated. It also enforces maxRepeatedProperties.
func checkProperties(t packetType, b []byte) *connectionFault {
	var seen uint64
	repeats := 0
	for len(b) > 0 {
		p, rest, err := decodeProperty(b)
		if err != nil {
			return err
		}
		b = rest
		d := propertyTable[p.ID]
		if d.in&(1<<t) == 0 {
			return violation(ProtocolError, "property %d is not allowed in a %v", p.ID, t)
		}
		if seen&(1<<p.ID) != 0 {
			if p.ID != UserProperty && p.ID != SubscriptionIdentifier {
				return violation(ProtocolError, "property %d is repeated in a %v", p.ID, t)
			}
			if repeats++; repeats >= maxRepeatedProperties {
				return violation(QuotaExceeded, "a %v with more than %d user properties or subscription identifiers", t, maxRepeatedProperties)
			}
		}
		seen |= 1 << p.ID
		if d.kind == kindString || d.kind == kindStringPair {
			if !validString(p.Data) || !validString(p.Value) {
				return malformed("property %d is not a valid UTF-8 string", p.ID)
			}
		}
		if d.kind == kindBool && p.Number > 1 {
			return violation(ProtocolError, "property %d has the value %d", p.ID, p.Number)
		}
		switch p.ID {
		case SubscriptionIdentifier, propReceiveMaximum, propMaximumPacketSize:
			if p.Number == 0 {
				return violation(ProtocolError, "property %d is zero", p.ID)
			}
		case TopicAlias:
			if p.Number == 0 {
				return violation(TopicAliasInvalid, "the topic alias is zero") // [MQTT-3.3.2-8]
			}
		case ResponseTopic:
			if ValidTopic(p.Data) != nil {
				return violation(ProtocolError, "the response topic is not valid") // [MQTT-3.3.2-14]
			}
		}
	}
	return nil
}

// cutProperties splits b after the properties at its start, and checks them. Their
// length precedes the properties.
func cutProperties(t packetType, b []byte) (props, rest []byte, err *connectionFault) {
	if len(b) > 0 && b[0] == 0 {
		return nil, b[1:], nil
	}
	n, used := readVarint(b)
	if used <= 0 || uint64(n) > uint64(len(b)-used) {
		return nil, nil, malformed("%v: invalid property length", t)
	}
	if n > maxProperties {
		return nil, nil, violation(QuotaExceeded, "%v with %d bytes of properties; the client accepts %d", t, n, maxProperties)
	}
	end := used + int(n)
	props = b[used:end:end]
	return props, b[end:], checkProperties(t, props)
}
