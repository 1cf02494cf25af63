package abi

import "fmt"

// A Record is a decoded record: a [TopicRecord], [MessageRecord], [DoneRecord],
// [EffectRecord] or [PacketRecord]. Its spans refer to memory that Decode does not read.
type Record any

// A Span is an address and a length in bytes.
type Span struct{ Address, Length uint32 }

// A TopicRecord is a decoded topic record.
type TopicRecord struct {
	ID         uint32
	First      bool
	Name       Span
	Recipients []uint32
}

// A MessageRecord is a decoded message record.
type MessageRecord struct {
	Topic, Flags    uint32
	Payload, Packet Span
	Recipients      []uint32
	Properties      []PropertyRecord
}

// A PropertyRecord is a decoded property. For a numeric property, Data.Address is the
// number.
type PropertyRecord struct {
	ID          uint32
	Data, Value Span
}

// A DoneRecord is a decoded done record.
type DoneRecord struct{ Token, Reason uint32 }

// An EffectRecord is a decoded effect record.
type EffectRecord struct{ Text, Bytes Span }

// A PacketRecord is a decoded packet record.
type PacketRecord struct {
	Out   bool
	Size  uint32
	Bytes Span
}

// Decode decodes the words of a [Table]. If a record is truncated or has an unknown kind,
// Decode returns an error and the records before it. Only tests use Decode. JavaScript
// has its own reader.
func Decode(words []uint32) ([]Record, error) {
	var records []Record
	for len(words) > 0 {
		r, rest, err := decodeOne(words)
		if err != nil {
			return records, fmt.Errorf("record %d: %w", len(records), err)
		}
		records = append(records, r)
		words = rest
	}
	return records, nil
}

// decodeOne decodes the first record, and returns the words after it.
func decodeOne(words []uint32) (Record, []uint32, error) {
	kind := words[0]
	size, ok := map[uint32]int{KindTopic: TopicWords, KindMessage: MessageWords, KindDone: DoneWords, KindEffect: EffectWords, KindPacket: PacketWords}[kind]
	if !ok {
		return nil, nil, fmt.Errorf("kind %d is unknown", kind)
	}
	if len(words) < size {
		return nil, nil, fmt.Errorf("a record of kind %d has only %d of %d words", kind, len(words), size)
	}
	r, rest := words[:size], words[size:]
	span := func(at int) Span { return Span{r[at], r[at+1]} }
	list := func(count, each uint32) (part []uint32, err error) {
		n := uint64(count) * uint64(each)
		if n > uint64(len(rest)) {
			return nil, fmt.Errorf("a list of %d words has only %d", n, len(rest))
		}
		part, rest = rest[:n:n], rest[n:]
		return part, nil
	}
	switch kind {
	case KindTopic:
		ids, err := list(r[TopicRecipients], 1)
		return TopicRecord{r[TopicID], r[TopicFirst] == 1, span(TopicName), ids}, rest, err
	case KindMessage:
		m := MessageRecord{Topic: r[MessageTopic], Flags: r[MessageFlags], Payload: span(MessagePayload), Packet: span(MessagePacket)}
		var err error
		if m.Recipients, err = list(r[MessageRecipients], 1); err != nil {
			return nil, nil, err
		}
		properties, err := list(r[MessageProperties], PropertyWords)
		for ; len(properties) > 0; properties = properties[PropertyWords:] {
			m.Properties = append(m.Properties, PropertyRecord{
				ID:    properties[PropertyID],
				Data:  Span{properties[PropertyData], properties[PropertyData+1]},
				Value: Span{properties[PropertyValue], properties[PropertyValue+1]},
			})
		}
		return m, rest, err
	case KindDone:
		return DoneRecord{r[DoneToken], r[DoneReason]}, rest, nil
	case KindPacket:
		return PacketRecord{r[PacketOut] == 1, r[PacketSize], span(PacketBytes)}, rest, nil
	}
	return EffectRecord{span(EffectText), span(EffectBytes)}, rest, nil
}
