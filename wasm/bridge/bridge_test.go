package bridge

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/mqtt"
)

// values implements Value with a map.
type values map[string]any

func (v values) Text(name string) (string, bool) {
	s, ok := v[name].(string)
	return s, ok
}

func (v values) Number(name string) (float64, bool) {
	switch n := v[name].(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func (v values) Flag(name string) (flag, ok bool) {
	flag, ok = v[name].(bool)
	return flag, ok
}

func (v values) Bytes(name string) []byte {
	b, _ := v[name].([]byte)
	return b
}

func (v values) Pairs(name string) []mqtt.UserPair {
	if v[name] == "broken" {
		panic("the value cannot be read")
	}
	p, _ := v[name].([]mqtt.UserPair)
	return p
}

func (v values) Object(name string) (Value, bool) {
	o, ok := v[name].(values)
	return o, ok
}

// page is a bridge with one client. Its methods make the calls of JavaScript.
type page struct {
	*Bridge
	t  *testing.T
	id uint32
}

func newPage(t *testing.T) *page {
	p := &page{Bridge: New(func() float64 { return 0 }), t: t}
	if _, err := fmt.Sscan(p.Bridge.Call("new", 0, 0, nil), &p.id); err != nil {
		t.Fatal(err)
	}
	p.Input(1 << 16)
	return p
}

// find returns the memory of a span. In a native test, an address is only the lower half
// of a pointer. So find searches the memory that the table keeps, and the input.
func find(b *Bridge, s abi.Span) []byte {
	kept := reflect.ValueOf(&b.table).Elem().FieldByName("kept")
	for i := range kept.Len() {
		if v := kept.Index(i).Elem(); v.Kind() == reflect.Slice && abi.Address(v.Bytes()) == s.Address {
			return v.Bytes()[:s.Length]
		}
	}
	if first := abi.Address(b.input); s.Address >= first && s.Address-first <= uint32(len(b.input)) {
		return b.input[s.Address-first:][:s.Length]
	}
	return nil
}

// records returns a text that describes the records of the last call.
func (p *page) records() string {
	p.t.Helper()
	if p.Header.CrashLength > 0 {
		p.t.Fatal("the bridge has panicked")
	}
	records, err := abi.Decode(p.table.Words())
	if err != nil || p.Header.TableLength != uint32(len(p.table.Words())) {
		p.t.Fatalf("the table is invalid, or its length is not in the header: %v, %+v", err, p.Header)
	}
	var list []string
	for _, r := range records {
		switch r := r.(type) {
		case abi.TopicRecord:
			list = append(list, fmt.Sprintf("topic %d %v", r.ID, r.Recipients))
		case abi.MessageRecord:
			list = append(list, fmt.Sprintf("message %d %q flags %d for %v, %d properties", r.Topic, find(p.Bridge, r.Payload), r.Flags&^abi.FlagOwnMemory, r.Recipients, len(r.Properties)))
		case abi.DoneRecord:
			list = append(list, fmt.Sprintf("done %d %d", r.Token, r.Reason))
		case abi.EffectRecord:
			var o map[string]any
			if err := json.Unmarshal(find(p.Bridge, r.Text), &o); err != nil {
				p.t.Fatal(err)
			}
			text := fmt.Sprint(o["kind"])
			for _, name := range []string{"event", "token", "subscription"} {
				if o[name] != nil {
					text += fmt.Sprintf(" %v", o[name])
				}
			}
			if e, ok := o["error"].(map[string]any); ok {
				text += fmt.Sprintf(" %s %s", e["class"], e["code"])
			}
			list = append(list, text)
		case abi.PacketRecord:
			direction := "in"
			if r.Out {
				direction = "out"
			}
			list = append(list, fmt.Sprintf("packet %s %x of %d", direction, find(p.Bridge, r.Bytes), r.Size))
		}
	}
	return strings.Join(list, "; ")
}

// expect compares the records of the last call with want.
func (p *page) expect(want string) {
	p.t.Helper()
	if got := p.records(); got != want {
		p.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func (p *page) call(name string, v values) string {
	return p.Call(name, p.id, 0, v)
}

// receive passes a packet of the broker to the client.
func (p *page) receive(kind byte, content packets.Packet) {
	p.t.Helper()
	p.Receive(p.id, 1, uint32(copy(p.input, pahotest.Encode(p.t, kind, content))), 0, 0)
}

// turn ends the turn, and returns the bytes that the client sends.
func (p *page) turn() (sent []byte) {
	p.Turn(p.id, 0, 0, 0)
	for p.Header.OutputLength > 0 {
		n := p.Header.OutputLength
		sent = append(sent, p.clients[p.id].Output()[:n]...)
		p.Flushed(p.id, n, 0)
	}
	return sent
}

// online returns a page whose client is connected.
func online(t *testing.T) *page {
	p := newPage(t)
	p.call("connect", values{"token": 1, "options": values{"endpoint": "ws://localhost", "clientId": "c"}})
	p.expect("state connecting; open")
	p.call("opened", values{"attempt": 1})
	if sent := p.turn(); len(sent) == 0 || sent[0] != 0x10 {
		t.Fatalf("the client sends %x, want CONNECT", sent)
	}
	p.receive(packets.CONNACK, &packets.Connack{Properties: &packets.Properties{}})
	p.expect("state connected; done 1")
	return p
}

// TestLife checks the records of a connection with two subscriptions, from connect() to
// disconnect().
func TestLife(t *testing.T) {
	p := online(t)
	if id := p.call("subscribe", values{"token": 2, "filter": "a/#", "qos": 1}); id != "1" {
		t.Errorf("the subscription is %q, want 1", id)
	}
	p.call("subscribe", values{"token": 3, "filter": "a/b", "qos": 0})
	if p.Header.Pending != abi.PendingReady || p.Header.Deadline == math.Inf(1) {
		t.Errorf("no output is ready, or there is no deadline: %+v", p.Header)
	}
	p.turn()
	p.receive(packets.SUBACK, &packets.Suback{PacketID: 1, Reasons: []byte{1, 0}, Properties: &packets.Properties{}})
	p.expect("done 2 1; done 3 0")
	message := &packets.Publish{Topic: "a/b", Payload: []byte("hello"), Properties: &packets.Properties{
		ContentType: "text/plain", MessageExpiry: new(uint32(9)), PayloadFormat: new(byte(1)), User: []packets.User{{Key: "k", Value: "v"}},
	}}
	p.receive(packets.PUBLISH, message)
	p.expect(fmt.Sprintf(`topic 0 [1 2]; message 0 "hello" flags %d for [], 3 properties`, abi.FlagUTF8|abi.FlagShared))
	message.Retain = true
	p.receive(packets.PUBLISH, message) // subscription 1 has received a newer live message
	p.expect(fmt.Sprintf(`message 0 "hello" flags %d for [2], 3 properties`, abi.FlagUTF8|abi.FlagRetain|abi.FlagSelected))
	p.call("onmessage", nil)
	p.receive(packets.PUBLISH, message)
	p.expect(fmt.Sprintf(`message 0 "hello" flags %d for [], 3 properties`, abi.FlagUTF8|abi.FlagRetain|abi.FlagSelected|abi.FlagListeners))
	p.call("unsubscribe", values{"token": 4, "filter": "a/#"})
	p.expect("ended 1")
	p.call("disconnect", values{"token": 5})
	p.expect("close; ended 2; done 4 0; state closed; done 5 0")
}

// TestPacketRecords checks the records of packets of both directions. They precede the
// records of the events that a packet causes. Flushed and the last packet also have records.
func TestPacketRecords(t *testing.T) {
	p := online(t)
	p.call("onpacket", nil)
	p.receive(packets.PUBLISH, &packets.Publish{Topic: "t", QoS: 1, PacketID: 3, Properties: &packets.Properties{}})
	p.expect("packet in 3206000174000300 of 8")
	p.call("onmessage", nil)
	p.turn()
	p.expect(`topic 0 []; message 0 "" flags 513 for [], 0 properties; packet out 40020003 of 4`)
	p.call("disconnect", values{"token": 5})
	p.expect("packet out e000 of 2; close; state closed; done 5 0")
}

// TestPublish checks the result and the records of Publish, also for arguments that are
// not valid.
func TestPublish(t *testing.T) {
	p := online(t)
	publish := func(token uint32, topic, payload string, qos float64) uint32 {
		copy(p.topic[:], topic)
		copy(p.input, payload)
		return p.Publish(p.id, token, uint32(len(topic)), 0, uint32(len(payload)), qos, 0, 0)
	}
	if publish(2, "t", "x", 0) != abi.Sent {
		t.Error("the message of QoS 0 is not in the output")
	}
	if publish(3, "t", "x", 1) == abi.Sent || p.records() != "" {
		t.Error("the message of QoS 1 is settled before PUBACK")
	}
	p.turn()
	p.receive(packets.PUBACK, &packets.Puback{PacketID: 1, ReasonCode: 0x10, Properties: &packets.Properties{}})
	p.expect("done 3 16")
	for _, qos := range []float64{3, -1, 256, 257, math.NaN(), 0.5, math.Inf(1)} {
		publish(4, "t", "x", qos)
		p.expect("failed 4 RangeError ERR_QOS")
	}
	publish(5, "t/#", "x", 0)
	p.expect("failed 5 TypeError ERR_TOPIC")
	publish(6, strings.Repeat("t", abi.TopicSize), "x", 0)
	p.expect("failed 6 TypeError ERR_TOPIC")
}

// TestPublishFull checks that the result of Publish demands a turn when the output is large, but
// not while the socket accepts no bytes.
func TestPublishFull(t *testing.T) {
	p := online(t)
	const size = 50 << 10
	p.Input(size)
	publish := func(want ...uint32) {
		t.Helper()
		copy(p.topic[:], "t")
		for i := range want {
			if got := p.Publish(p.id, 2, 1, 0, size, 0, 0, 0); got != want[i] {
				t.Errorf("the result of message %d is %d, want %d", i, got, want[i])
			}
		}
	}
	sent := 0
	for range 3 {
		publish(abi.Sent, abi.SentFull)
		for p.Header.OutputLength > 0 {
			sent += int(p.Header.OutputLength)
			p.Flushed(p.id, p.Header.OutputLength, 0)
		}
	}
	if sent >= 6*size {
		t.Errorf("%d bytes are in the socket, so it is not full", sent)
	}
	publish(abi.Sent)     // the output is full, and the socket, too
	sent += len(p.turn()) // the socket is empty
	publish(abi.Sent, abi.SentFull)
	if sent += len(p.turn()); sent < 9*size {
		t.Errorf("the client sends %d bytes", sent)
	}
	p.expect("")
}

// TestUnreadableArgument checks that only the call with an unreadable argument fails.
func TestUnreadableArgument(t *testing.T) {
	p := online(t)
	broken := values{"token": 2, "filter": "f", "userProperties": "broken"}
	if id := p.call("subscribe", broken); id != "0" {
		t.Errorf("the subscription is %q, want 0", id)
	}
	p.expect("failed 2 TypeError ERR_OPTION")
	p.call("connect", values{"token": 3, "options": broken})
	p.expect("failed 3 TypeError ERR_OPTION")
	p.call("connect", values{"token": 4, "options": values{"will": values{"topic": "t", "delay": -1}}})
	p.expect("failed 4 RangeError ERR_OPTION")
	p.call("stats", nil)
	p.expect("")
}

// TestPanic checks that the header reports a panic, and that the records are removed.
func TestPanic(t *testing.T) {
	p := online(t)
	p.Receive(p.id, 1, 1<<30, 0, 0) // more bytes than the input has
	if p.Header.CrashLength == 0 || p.Header.TableLength != 0 {
		t.Errorf("the header reports no panic, or records remain: %+v", p.Header)
	}
}

// TestUnknownClientAndOperation checks that calls with an unknown client or operation have
// no effect.
func TestUnknownClientAndOperation(t *testing.T) {
	p := newPage(t)
	for _, name := range []string{"stats", "wake", "nonsense"} {
		if p.Call(name, 99, 0, values{}) != "" {
			t.Errorf("%s has a result", name)
		}
	}
	p.Receive(99, 1, 1, 0, 0)
	p.Turn(99, 0, 0, 0)
	p.Flushed(99, 1, 0)
	if p.Publish(99, 1, 1, 0, 0, 0, 0, 0) != 0 {
		t.Error("Publish has a result")
	}
	p.expect("")
	p.Call("free", 0, 0, values{"client": int(p.id)})
	if p.Call("stats", p.id, 0, nil); len(p.clients) != 0 || p.client(p.id) != nil {
		t.Error("free does not remove the client")
	}
}

// TestHeaderAddress checks the address of the topic, and that the address of the header
// is a multiple of 8: abi.js reads Deadline as a float64.
func TestHeaderAddress(t *testing.T) {
	b := New(func() float64 { return 0 })
	if b.Header.TopicAddress != abi.Address(b.topic[:]) || uintptr(unsafe.Pointer(&b.Header))%8 != 0 {
		t.Errorf("the address of the topic or of the header %p is wrong: %+v", &b.Header, b.Header)
	}
}

// FuzzPage calls random operations with random members. It checks that no call panics,
// and that Decode accepts every table.
func FuzzPage(f *testing.F) {
	f.Add([]byte("seed"), "a/b", 1.0)
	f.Fuzz(func(t *testing.T, script []byte, text string, n float64) {
		p := newPage(t)
		all := slices.Concat(pageOperations, clientOperations)
		v := values{
			"filter": text, "name": text, "code": n, "endpoint": text, "url": len(text)%2 == 0, "qos": n, "retainHandling": n, "expires": n, "date": n,
			"topic": text, "keepAlive": n, "sessionExpiry": n, "delay": n, "maxMessages": n, "minDelayMs": n, "clientId": text, "skew": n, "attempt": 1,
		}
		v["options"], v["will"], v["credentials"], v["reconnect"], v["offline"] = v, v, v, v, v
		for i, b := range script {
			v["token"] = i + 1
			switch {
			case b < 200:
				p.Call(all[int(b)%len(all)].name, p.id, float64(i), v)
			case b < 230:
				size := min(len(script), len(p.input))
				copy(p.input, script)
				p.Receive(p.id, 1, uint32(size), uint32(b)%2*1e5, float64(i))
			default:
				p.Turn(p.id, float64(i), 0, 0)
			}
			p.records()
		}
	})
}

// A message without a recipient has no message record, but its topic has a record. That
// record may remove all earlier topics, so it must precede the records of later topics.
func TestTopicOfMessageWithoutRecipient(t *testing.T) {
	p := online(t)
	p.call("subscribe", values{"token": 2, "filter": "#", "retainHandling": 2})
	p.turn()
	p.receive(packets.SUBACK, &packets.Suback{PacketID: 1, Reasons: []byte{0}, Properties: &packets.Properties{}})
	p.receive(packets.PUBLISH, &packets.Publish{Topic: "a", Retain: true, Properties: &packets.Properties{}})
	p.expect("topic 0 [1]")
	for _, want := range []string{`topic 1 [1]; message 1 "" flags 0 for [], 0 properties`, `message 0 "" flags 0 for [], 0 properties`} {
		topic := "b"
		if !strings.HasPrefix(want, "topic") {
			topic = "a"
		}
		p.receive(packets.PUBLISH, &packets.Publish{Topic: topic, Properties: &packets.Properties{}})
		p.expect(want)
	}
}
