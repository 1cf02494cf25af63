package abi

import "slices"

// Kinds of record. The kind is the first word of a record.
const (
	KindTopic   = 1 // the name and the recipients of a topic
	KindMessage = 2 // a message for the page
	KindDone    = 3 // resolves the promise of a token
	KindEffect  = 4 // an effect
	KindPacket  = 5 // a packet on the wire, for the event "packet"
)

// Offsets in a topic record, in words. The record precedes the first message record
// with its id, and the first one after its recipients changed. It replaces an earlier
// topic with the same id.
const (
	TopicID         = 1
	TopicFirst      = 2 // 1: the record also removes all earlier topics
	TopicName       = 3 // address, length
	TopicRecipients = 5 // the number of recipients, whose ids follow the record
	TopicWords      = 6 // the length of the record without the ids
)

// Offsets in a message record, in words.
const (
	MessageTopic      = 1 // the id of the topic
	MessageFlags      = 2 // see FlagQoS and the other flags
	MessagePayload    = 3 // address, length
	MessagePacket     = 5 // address, length of the PUBLISH, which ends with the payload
	MessageRecipients = 7 // the number of recipients, whose ids follow the record
	MessageProperties = 8 // the number of properties, which follow the ids
	MessageWords      = 9 // the length of the record without ids and properties
)

// Offsets in a property of a message, in words. For a numeric property, the word at
// PropertyData is the number, and the words after it are 0.
const (
	PropertyID    = 0 // the identifier (section 2.2.2.2)
	PropertyData  = 1 // address, length: a string, binary data, or the name of a user property
	PropertyValue = 3 // address, length: the value of a user property
	PropertyWords = 5
)

// Offsets in a done record, in words.
const (
	DoneToken  = 1
	DoneReason = 2 // publish: the reason code; subscribe: the granted QoS; others: 0
	DoneWords  = 3
)

// Offsets in an effect record, in words.
const (
	EffectText  = 1 // address, length: a JSON object with a member "kind"
	EffectBytes = 3 // address, length: binary data of the effect
	EffectWords = 5
)

// Offsets in a packet record, in words. The record precedes those of the events that a
// received packet causes.
const (
	PacketOut   = 1 // 1: the client has sent the packet; 0: the client has received it
	PacketSize  = 2 // the size of the packet
	PacketBytes = 3 // address, length: the first bytes of the packet, or all
	PacketWords = 5
)

// Flags of a message record. The event listeners of the page (FlagListeners) count as
// one recipient.
const (
	FlagQoS       = 3      // the mask of the QoS
	FlagRetain    = 1 << 2 // RETAIN is set
	FlagDuplicate = 1 << 3 // DUP is set
	FlagUTF8      = 1 << 4 // the Payload Format Indicator is 1
	FlagOwnMemory = 1 << 5 // the packet is not in the input of this call
	FlagShared    = 1 << 6 // the message has more than one recipient
	FlagUnclaimed = 1 << 7 // the message has no recipient; the event "unclaimed" reports it
	FlagSelected  = 1 << 8 // the message record lists the recipients; otherwise the topic record does
	FlagListeners = 1 << 9 // the listeners of the event "message" receive the message
)

// A Table is the list of records that one call writes for JavaScript, in the order of
// the events. Its methods that add a record allocate no memory once the table has
// grown. The zero Table is empty.
type Table struct {
	words []uint32
	kept  []any
}

// Reset removes all records, and releases the values of Keep.
func (t *Table) Reset() {
	t.words = t.words[:0]
	clear(t.kept)
	t.kept = t.kept[:0]
}

// Words returns the records. They are valid until the next change of the table.
func (t *Table) Words() []uint32 { return t.words }

// Keep keeps v in memory until Reset. A record that refers to the memory of v has only
// its address, which the garbage collector does not see.
func (t *Table) Keep(v any) { t.kept = append(t.kept, v) }

// Topic appends a topic record. If first is true, the record removes all earlier topics.
// The caller keeps name in memory until Reset. recipients is copied.
func (t *Table) Topic(id uint32, first bool, name string, recipients []uint32) {
	r := [TopicWords]uint32{
		KindTopic,
		TopicID:         id,
		TopicName:       TextAddress(name),
		TopicName + 1:   uint32(len(name)),
		TopicRecipients: uint32(len(recipients)),
	}
	if first {
		r[TopicFirst] = 1
	}
	t.words = append(append(t.words, r[:]...), recipients...)
}

// Message appends a message record, and returns its position for SetFlags, Property
// and NumberProperty. The caller keeps payload and packet in memory until Reset. missing
// bytes follow both in the frame that the call received, but not in memory. recipients is
// copied.
func (t *Table) Message(topic, flags uint32, payload, packet []byte, missing int, recipients []uint32) (record int) {
	record = len(t.words)
	if cap(t.words)-record < MessageWords {
		t.words = slices.Grow(t.words, MessageWords)
	}
	t.words = t.words[:record+MessageWords]
	r := (*[MessageWords]uint32)(t.words[record:])
	r[0] = KindMessage
	r[MessageTopic] = topic
	r[MessageFlags] = flags
	r[MessagePayload] = Address(payload)
	r[MessagePayload+1] = uint32(len(payload) + missing)
	r[MessagePacket] = Address(packet)
	r[MessagePacket+1] = uint32(len(packet) + missing)
	r[MessageRecipients] = uint32(len(recipients))
	r[MessageProperties] = 0
	if len(recipients) > 0 {
		t.words = append(t.words, recipients...)
	}
	return record
}

// SetFlags adds flags to the message record at the position record.
func (t *Table) SetFlags(record int, flags uint32) { t.words[record+MessageFlags] |= flags }

// Property appends a property to the message record at the position record, which
// must be the last record. data is a string, binary data, or the name of a user
// property. value is the value of a user property. The caller keeps both in memory
// until Reset.
func (t *Table) Property(record int, id byte, data, value []byte) {
	t.words[record+MessageProperties]++
	t.words = append(t.words, uint32(id), Address(data), uint32(len(data)), Address(value), uint32(len(value)))
}

// NumberProperty appends a numeric property to the message record at the position
// record, which must be the last record.
func (t *Table) NumberProperty(record int, id byte, n uint32) {
	t.words[record+MessageProperties]++
	t.words = append(t.words, uint32(id), n, 0, 0, 0)
}

// Done appends a record that resolves the promise of token. reason is a reason code or
// the granted QoS (see DoneReason).
func (t *Table) Done(token uint32, reason byte) {
	r := [DoneWords]uint32{KindDone, DoneToken: token, DoneReason: uint32(reason)}
	t.words = append(t.words, r[:]...)
}

// Effect appends an effect record with the object o and binary data, which may be nil.
// It keeps the memory of both.
func (t *Table) Effect(o *Object, bytes []byte) {
	text := o.Bytes()
	t.Keep(text)
	t.withBytes(KindEffect, Address(text), uint32(len(text)), bytes)
}

// Packet appends a packet record, and keeps the memory of packet. out is PacketOut.
func (t *Table) Packet(out, size uint32, packet []byte) {
	t.withBytes(KindPacket, out, size, packet)
}

// withBytes appends an effect or packet record: the kind, two words, and the position of
// bytes. It keeps the memory of bytes.
func (t *Table) withBytes(kind, first, second uint32, bytes []byte) {
	r := [PacketWords]uint32{kind, first, second, Address(bytes), uint32(len(bytes))}
	t.words = append(t.words, r[:]...)
	t.Keep(bytes)
}
