package abi

import (
	"reflect"
	"testing"
	"unsafe"
)

func span(b []byte) Span { return Span{Address(b), uint32(len(b))} }

// TestRecords checks that Decode returns the records that the methods of Table write.
func TestRecords(t *testing.T) {
	var table Table
	packet := []byte("the packet of a message")
	payload, data, value := packet[4:10], packet[0:3], packet[11:13]
	bytes := []byte("last bytes")
	name := "a/topic"
	for range 2 { // the second pass reuses the memory of the table
		table.Reset()
		table.Topic(7, true, name, []uint32{1, 2, 3})
		table.Topic(8, false, "", nil)
		m := table.Message(7, FlagRetain|1, payload, packet, 0, []uint32{2})
		table.NumberProperty(m, 2, 99)
		table.Property(m, 38, data, value)
		table.SetFlags(m, FlagUTF8)
		table.Message(8, 0, payload[:2], packet[:5], 70_000, nil)
		table.Done(42, 0x10)
		var o Object
		o.Text("kind", "open")
		text := o.Bytes()
		table.Packet(1, 1<<20, packet)
		table.Effect(&o, bytes)
		got, err := Decode(table.Words())
		if err != nil {
			t.Fatal(err)
		}
		effect := got[len(got)-1].(EffectRecord)
		if effect.Text.Length != uint32(len(text)) || effect.Bytes != span(bytes) {
			t.Errorf("the effect record is %+v, want a text of %d bytes and the bytes %q", effect, len(text), bytes)
		}
		want := []Record{
			TopicRecord{7, true, Span{TextAddress(name), uint32(len(name))}, []uint32{1, 2, 3}},
			TopicRecord{ID: 8, Name: Span{TextAddress(""), 0}, Recipients: []uint32{}},
			MessageRecord{
				Topic: 7, Flags: FlagRetain | FlagUTF8 | 1, Payload: span(payload), Packet: span(packet), Recipients: []uint32{2},
				Properties: []PropertyRecord{{2, Span{99, 0}, Span{}}, {38, span(data), span(value)}},
			},
			MessageRecord{Topic: 8, Payload: Span{Address(payload), 70_002}, Packet: Span{Address(packet), 70_005}, Recipients: []uint32{}},
			DoneRecord{42, 0x10},
			PacketRecord{true, 1 << 20, span(packet)},
			effect,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

// TestDecodeErrors checks that Decode returns an error for tables that are not valid.
func TestDecodeErrors(t *testing.T) {
	for name, words := range map[string][]uint32{
		"an unknown kind":        {99},
		"a truncated record":     {KindDone, 1},
		"truncated recipients":   {KindTopic, 0, 0, 0, 0, 1},
		"truncated properties":   {KindMessage, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4},
		"a count that overflows": {KindMessage, 0, 0, 0, 0, 0, 0, 0, 0xffffffff},
	} {
		if _, err := Decode(words); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzDecode checks that Decode does not panic for any words, and that it decodes the
// records of a Table.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{KindDone, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, []byte("data"))
	f.Fuzz(func(t *testing.T, raw, data []byte) {
		words := make([]uint32, len(raw)/4)
		for i := range words {
			words[i] = uint32(raw[4*i]) | uint32(raw[4*i+1])<<8 | uint32(raw[4*i+2])<<16 | uint32(raw[4*i+3])<<24
		}
		_, _ = Decode(words)
		var table Table
		half := len(words) / 2
		table.Topic(1, false, string(data), words[:half])
		m := table.Message(1, 5, data, data, 0, words[half:])
		for i := range words {
			table.Property(m, byte(i), data, data)
		}
		table.Done(1, 2)
		records, err := Decode(table.Words())
		if err != nil || len(records) != 3 {
			t.Fatalf("Decode returns %d records and the error %v, want 3 records", len(records), err)
		}
		if n := len(records[1].(MessageRecord).Properties); n != len(words) {
			t.Fatalf("the message has %d properties, want %d", n, len(words))
		}
	})
}

// TestAllocations checks that a table that has grown allocates no memory for messages.
func TestAllocations(t *testing.T) {
	var table Table
	packet := make([]byte, 100)
	ids := []uint32{1, 2}
	n := testing.AllocsPerRun(1000, func() {
		table.Reset()
		m := table.Message(1, 1, packet[10:], packet, 0, ids)
		table.Property(m, 3, packet[:5], nil)
		table.Done(1, 0)
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// TestHeader checks that Deadline is the first member of the header. abi.js reads it
// there as a float64.
func TestHeader(t *testing.T) {
	if unsafe.Offsetof(Header{}.Deadline) != 0 {
		t.Error("Deadline is not the first member of Header")
	}
}
