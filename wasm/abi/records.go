package abi

// Kinds of record. The kind is the first word of a record.
const (
	KindTopic   = 1 // describes a topic; it precedes the first message of that topic
	KindMessage = 2 // a message for the page
	KindDone    = 3 // settles a token
	KindEffect  = 4 // anything rare, as a JSON object
)

// Offsets in a topic record, in words.
const (
	TopicID         = 1 // replaces the topic that had this id before
	TopicFirst      = 2 // 1: all topics before this one are void
	TopicName       = 3 // address, length
	TopicRecipients = 5 // how many; their ids follow the record
	TopicWords      = 6
)

// Offsets in a message record, in words.
const (
	MessageTopic      = 1 // the id of the topic
	MessageFlags      = 2
	MessagePayload    = 3 // address, length
	MessagePacket     = 5 // address, length
	MessageRecipients = 7 // how many; their ids follow the record
	MessageProperties = 8 // how many; they follow the recipients
	MessageWords      = 9
)

// Offsets in a property of a message, in words. A number is in PropertyData, and
// the other words are 0.
const (
	PropertyID    = 0
	PropertyData  = 1 // address, length: a string, binary data, or the name of a user property
	PropertyValue = 3 // address, length: the value of a user property
	PropertyWords = 5
)

// Offsets in a done record, in words.
const (
	DoneToken  = 1
	DoneReason = 2 // the reason code; for a SUBSCRIBE, the granted QoS
	DoneWords  = 3
)

// Offsets in an effect record, in words.
const (
	EffectText  = 1 // address, length: a JSON object with a member "kind"
	EffectBytes = 3 // address, length: binary data of the effect
	EffectWords = 5
)

// Flags of a message record.
const (
	FlagQoS       = 3      // the two bits of the QoS
	FlagRetain    = 1 << 2 // RETAIN is set
	FlagDuplicate = 1 << 3 // DUP is set
	FlagUTF8      = 1 << 4 // the Payload Format Indicator is 1
	FlagOwnMemory = 1 << 5 // the packet lies elsewhere than in the input of this call
	FlagShared    = 1 << 6 // more than one recipient gets the message
	FlagUnclaimed = 1 << 7 // the message has no recipient: it is reported by the event unclaimed
	FlagSelected  = 1 << 8 // the recipients are those of the record, not all of the topic
	FlagListeners = 1 << 9 // listeners for the event message get it
)

// A Table is the list of records that one call leaves for JavaScript, in the order
// in which things happened. It reuses its memory.
type Table struct {
	words []uint32
	kept  []any
}

// Reset removes all records.
func (t *Table) Reset() {
	t.words = t.words[:0]
	clear(t.kept)
	t.kept = t.kept[:0]
}

// Words returns the records. They are valid until the next change of the table.
func (t *Table) Words() []uint32 { return t.words }

// Keep prevents the memory of v, to which a record refers by its address, from
// being freed before the table is reset.
func (t *Table) Keep(v any) { t.kept = append(t.kept, v) }

// begin appends a record of n words, which are 0 but for the kind.
func (t *Table) begin(kind uint32, n int) (record []uint32) {
	at := len(t.words)
	for range n {
		t.words = append(t.words, 0)
	}
	record = t.words[at:]
	record[0] = kind
	return record
}

// Topic appends a topic record. The caller keeps name alive.
func (t *Table) Topic(id uint32, first bool, name string, recipients []uint32) {
	r := t.begin(KindTopic, TopicWords)
	r[TopicID] = id
	if first {
		r[TopicFirst] = 1
	}
	r[TopicName], r[TopicName+1] = TextAddress(name), uint32(len(name))
	r[TopicRecipients] = uint32(len(recipients))
	t.words = append(t.words, recipients...)
}

// Message appends a message record. Its properties follow by [Table.Property] and
// [Table.NumberProperty]. The caller keeps payload and packet alive.
func (t *Table) Message(topic, flags uint32, payload, packet []byte, recipients []uint32) (record int) {
	record = len(t.words)
	r := t.begin(KindMessage, MessageWords)
	r[MessageTopic], r[MessageFlags] = topic, flags
	r[MessagePayload], r[MessagePayload+1] = Address(payload), uint32(len(payload))
	r[MessagePacket], r[MessagePacket+1] = Address(packet), uint32(len(packet))
	r[MessageRecipients] = uint32(len(recipients))
	t.words = append(t.words, recipients...)
	return record
}

// SetFlags sets further flags of the message record.
func (t *Table) SetFlags(record int, flags uint32) { t.words[record+MessageFlags] |= flags }

// Property appends a property to the message record, which must be the last one.
func (t *Table) Property(record int, id byte, data, value []byte) {
	t.words[record+MessageProperties]++
	t.words = append(t.words, uint32(id), Address(data), uint32(len(data)), Address(value), uint32(len(value)))
}

// NumberProperty appends a numeric property to the message record, which must be
// the last one.
func (t *Table) NumberProperty(record int, id byte, n uint32) {
	t.words[record+MessageProperties]++
	t.words = append(t.words, uint32(id), n, 0, 0, 0)
}

// Done appends a record that settles the token without an error.
func (t *Table) Done(token uint32, reason byte) {
	r := t.begin(KindDone, DoneWords)
	r[DoneToken], r[DoneReason] = token, uint32(reason)
}

// Effect appends an effect record, and keeps its memory alive.
func (t *Table) Effect(o *Object, bytes []byte) {
	text := o.Bytes()
	r := t.begin(KindEffect, EffectWords)
	r[EffectText], r[EffectText+1] = Address(text), uint32(len(text))
	r[EffectBytes], r[EffectBytes+1] = Address(bytes), uint32(len(bytes))
	t.Keep(text)
	t.Keep(bytes)
}
