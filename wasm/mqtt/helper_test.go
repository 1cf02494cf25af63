package mqtt

import "encoding/binary"

// appendProperty appends p to the encoded properties in b. p must be a property
// of a PUBLISH.
func appendProperty(b []byte, p Property) []byte {
	b = append(b, byte(p.ID))
	switch propertyTable[p.ID].kind {
	case kindBool:
		return append(b, byte(p.Number))
	case kindUint16:
		return binary.BigEndian.AppendUint16(b, uint16(p.Number))
	case kindUint32:
		return binary.BigEndian.AppendUint32(b, p.Number)
	case kindVarint:
		return appendVarint(b, p.Number)
	case kindStringPair:
		return appendField(appendField(b, p.Data), p.Value)
	}
	return appendField(b, p.Data)
}
