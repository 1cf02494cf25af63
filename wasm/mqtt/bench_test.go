package mqtt

import (
	"testing"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c", TopicAliasMaximum: 8})
	e.Receive(0, []byte{0x20, 6, 0, 0, 3, 34, 0, 8})
	var frame []byte
	for range 50 {
		frame = appendPublish(frame, []byte("sensors/1/temperature"), appendProperty(nil, Property{ID: UserProperty, Data: []byte("a"), Value: []byte("b")}), make([]byte, 200), 1, false, false, 7, 0)
	}
	m := &Outgoing{Topic: []byte("sensors/1/temperature"), Payload: make([]byte, 200)}
	puback := []byte{0x40, 2, 0, 0}
	step := func() {
		e.Receive(1, frame)
		for range 50 {
			_, _ = e.Publish(1, m)
		}
		m.QoS = 1
		for range 5 {
			_, _ = e.Publish(1, m)
		}
		m.QoS = 0
		for id := range e.inflight {
			puback[2], puback[3] = byte(id>>8), byte(id)
			e.Receive(2, puback)
		}
		e.Flushed(2, len(e.Output()))
	}
	step()
	if n := testing.AllocsPerRun(100, step); n > 0 {
		t.Errorf("%v allocations for 50 received and 55 published messages, want 0", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c"})
	e.Receive(0, []byte{0x20, 3, 0, 0, 0})
	frame := appendPublish(nil, []byte("sensors/1/temperature"), nil, make([]byte, 200), 0, false, false, 0, 0)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		e.Receive(1, frame)
	}
}

func BenchmarkPublish(b *testing.B) {
	e := NewEngine(discardHandler{}, 0)
	e.Open(0, ConnectOptions{ClientID: "c"})
	e.Receive(0, []byte{0x20, 3, 0, 0, 0})
	m := &Outgoing{Topic: []byte("sensors/1/temperature"), Payload: make([]byte, 200)}
	b.ReportAllocs()
	b.SetBytes(200)
	for b.Loop() {
		_, _ = e.Publish(1, m)
		e.Flushed(1, len(e.Output()))
	}
}

type discardHandler struct{}

func (discardHandler) Connected(*Connack)                        {}
func (discardHandler) Refused(*Connack)                          {}
func (discardHandler) Message(*Publish) bool                     { return true }
func (discardHandler) NeedsPayload(*Publish) bool                { return false }
func (discardHandler) Published(Token, PublishResult)            {}
func (discardHandler) Sent(Token, error)                         {}
func (discardHandler) Subscribed(Token, []byte, string, error)   {}
func (discardHandler) Unsubscribed(Token, []byte, string, error) {}
func (discardHandler) Stopped(*StopError)                        {}
