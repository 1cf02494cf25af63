package mqtt

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/eclipse/paho.golang/packets"
)

// addCorpus calls add with each packet of serverViolations and of the tests of mochi-mqtt.
func addCorpus(add func([]byte)) {
	for _, h := range serverViolations {
		b, _ := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(h.bytes, "x"), " ", ""))
		add(b)
	}
	for _, list := range mochi.TPacketData {
		for _, c := range list {
			add(c.RawBytes)
		}
	}
}

// FuzzEngine passes arbitrary bytes from the server to the engine, in frames and parts.
// The engine must not panic, and must not allocate memory for bytes that have not arrived.
// The events and the output must not depend on how the bytes are divided.
func FuzzEngine(f *testing.F) {
	addCorpus(func(b []byte) { f.Add(b, byte(3)) })
	f.Fuzz(func(t *testing.T, data []byte, cut byte) {
		run := func(frame, part int) (log, out string) {
			p := newPeer(t)
			p.minSkip = 1
			p.Open(0, testOptions)
			if len(data) > 0 && packetType(data[0]>>4) != typeConnack {
				p.Receive(0, []byte{0x20, 6, 0, 0, 3, 34, 0, 5})
			}
			p.publishText(1, 1, "t", "a")
			p.publishText(2, 2, "t", "b")
			_ = p.Subscribe(p.now, 3, []Subscription{{Filter: "f"}}, nil)
			_ = p.Unsubscribe(p.now, 4, []string{"f"})
			var sent []byte
			for rest := data; len(rest) > 0; {
				n := min(frame, len(rest))
				p.receiveParts(rest[:n], func(int) int { return part })
				rest = rest[n:]
				if limit := len(data) + int(testOptions.MaximumPacketSize) + 64; cap(p.partial) > 2*limit {
					t.Fatalf("the engine allocates a buffer of %d bytes for %d received bytes", cap(p.partial), len(data))
				}
			}
			sent = append(sent, p.Output()...)
			// The next connection resumes the session and receives the same bytes.
			p.reconnect(true, func(pr *packets.Properties) { pr.ReceiveMaximum = new(uint16(1)) })
			p.Receive(0, data)
			sent = append(sent, p.Output()...)
			p.Lost()
			p.Abandon(ErrDropped)
			if p.Held() != 0 {
				t.Errorf("%d bytes are held after Abandon", p.Held())
			}
			return p.events(), string(sent)
		}
		part := int(cut)%16 + 1
		log, out := run(len(data)+1, len(data)+1)
		for _, frame := range []int{part, int(cut) + 1, len(data) + 1} {
			if log2, out2 := run(frame, part); log != log2 || out != out2 {
				t.Errorf("in frames of %d and parts of %d: %q %x\n  as a whole: %q %x", frame, part, log2, out2, log, out)
			}
		}
	})
}

// FuzzPublishDecode compares decodePublish with paho. paho must accept every PUBLISH
// that decodePublish accepts, with the same result.
func FuzzPublishDecode(f *testing.F) {
	addCorpus(func(b []byte) {
		if len(b) > 2 && packetType(b[0]>>4) == typePublish {
			f.Add(b[0]&15, b[2:])
		}
	})
	f.Fuzz(func(t *testing.T, flags byte, body []byte) {
		flags &= 15
		raw := append(appendVarint([]byte{byte(typePublish)<<4 | flags}, uint32(len(body))), body...)
		compareDecoders(t, raw)
		var ours Publish
		if decodePublish(&ours, flags, body) != nil {
			return
		}
		cp, err := packets.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("paho rejects %x: %v", raw, err)
		}
		theirs := cp.Content.(*packets.Publish)
		if theirs.Topic != string(ours.Topic) || !bytes.Equal(theirs.Payload, ours.Payload) || theirs.QoS != ours.QoS ||
			theirs.Retain != ours.Retain || theirs.Duplicate != ours.Duplicate || theirs.PacketID != ours.packetID {
			t.Errorf("%x: ours %+v, theirs %+v", raw, ours, theirs)
		}
		pr := theirs.Properties
		var user []packets.User
		for p, rest, ok := NextProperty(ours.Properties); ok; p, rest, ok = NextProperty(rest) {
			same := true
			switch p.ID {
			case PayloadFormat:
				same = uint32(*pr.PayloadFormat) == p.Number
			case MessageExpiry:
				same = *pr.MessageExpiry == p.Number
			case ContentType:
				same = pr.ContentType == string(p.Data)
			case ResponseTopic:
				same = pr.ResponseTopic == string(p.Data)
			case CorrelationData:
				same = bytes.Equal(pr.CorrelationData, p.Data)
			case TopicAlias:
				same = uint32(*pr.TopicAlias) == p.Number && *pr.TopicAlias == ours.alias
			case UserProperty:
				user = append(user, packets.User{Key: string(p.Data), Value: string(p.Value)})
			}
			if !same {
				t.Errorf("%x: the property %v differs from paho's", raw, p)
			}
		}
		if len(user) != len(pr.User) {
			t.Errorf("%x: %d user properties, paho has %d", raw, len(user), len(pr.User))
		}
	})
}

// FuzzPublishEncode checks appendPublish with the decoder of paho.
func FuzzPublishEncode(f *testing.F) {
	f.Add("a/b", []byte("payload"), byte(1), true, uint16(7), uint16(3), "text/plain", []byte{1}, "k", "v", uint32(60))
	f.Add("x", []byte(nil), byte(0), false, uint16(1), uint16(0), "", []byte(nil), "", "", uint32(0))
	f.Fuzz(func(t *testing.T, topic string, payload []byte, qos byte, retain bool, id, alias uint16, contentType string, correlation []byte, k, v string, expiry uint32) {
		qos %= 3
		if len(contentType) > maxFieldLen || len(correlation) > maxFieldLen || len(k) > maxFieldLen || len(v) > maxFieldLen {
			return
		}
		raw := appendProperty(nil, Property{ID: ContentType, Data: []byte(contentType)})
		raw = appendProperty(raw, Property{ID: CorrelationData, Data: correlation})
		raw = appendProperty(raw, Property{ID: UserProperty, Data: []byte(k), Value: []byte(v)})
		raw = appendProperty(raw, Property{ID: MessageExpiry, Number: expiry})
		m := Outgoing{Topic: []byte(topic), Properties: raw, Payload: payload, QoS: qos, Retain: retain}
		if CheckOutgoing(&m) != nil {
			return
		}
		b := appendPublish(nil, m.Topic, m.Properties, m.Payload, qos, retain, qos > 0, id, alias)
		if want := 1 + varintLen(publishLen(m.Topic, m.Properties, m.Payload, qos, alias)) + publishLen(m.Topic, m.Properties, m.Payload, qos, alias); len(b) != want {
			t.Errorf("the packet has %d bytes, and publishLen gives %d", len(b), want)
		}
		cp, err := packets.ReadPacket(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("paho rejects %x: %v", b, err)
		}
		p := cp.Content.(*packets.Publish)
		if p.Topic != topic || !bytes.Equal(p.Payload, payload) || p.QoS != qos || p.Retain != retain || p.Duplicate != (qos > 0) ||
			(qos > 0 && p.PacketID != id) || (alias > 0) != (p.Properties.TopicAlias != nil) || p.Properties.ContentType != contentType ||
			!bytes.Equal(p.Properties.CorrelationData, correlation) || p.Properties.User[0] != (packets.User{Key: k, Value: v}) || *p.Properties.MessageExpiry != expiry {
			t.Errorf("%x decodes to %+v", b, p)
		}
	})
}

// FuzzAck compares decodeAck with paho.
func FuzzAck(f *testing.F) {
	addCorpus(func(b []byte) {
		if len(b) > 2 {
			if t := packetType(b[0] >> 4); t >= typePuback && t <= typePubcomp {
				f.Add(byte(t), b[2:])
			}
		}
	})
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		pt := typePuback + packetType(kind%4)
		ours, werr := decodeAck(pt, body)
		if werr != nil {
			return
		}
		first := byte(pt) << 4
		if pt == typePubrel {
			first |= 2
		}
		raw := append(appendVarint([]byte{first}, uint32(len(body))), body...)
		cp, err := packets.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("paho rejects %x: %v", raw, err)
		}
		var reason byte
		var pr *packets.Properties
		switch c := cp.Content.(type) {
		case *packets.Puback:
			reason, pr = c.ReasonCode, c.Properties
		case *packets.Pubrec:
			reason, pr = c.ReasonCode, c.Properties
		case *packets.Pubrel:
			reason, pr = c.ReasonCode, c.Properties
		case *packets.Pubcomp:
			reason, pr = c.ReasonCode, c.Properties
		}
		r := resultOf(ours)
		if cp.PacketID() != ours.id || Reason(reason) != ours.reason || r.ReasonString != pr.ReasonString || len(r.User) != len(pr.User) {
			t.Errorf("%x: ours %+v, theirs %v %+v", raw, ours, reason, pr)
		}
	})
}
