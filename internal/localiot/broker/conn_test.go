package broker

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// panics is a Service that panics on each request.
type panics struct{}

func (panics) Owns(topic string) (owned, request bool) { return topic == "$aws/panic", true }
func (panics) Handle(Request) []Message                { panic("a bug") }

// A panic closes the connection and does not end the process.
func TestPanic(t *testing.T) {
	s := start(t, Options{Services: []Service{panics{}}})
	bystander, _ := s.connect("bystander", nil)
	for range 2 {
		c, _ := s.connect("c", nil)
		c.Publish(1, "$aws/panic", "")
		c.WantClose()
	}
	bystander.Ping()
	if !strings.Contains(s.log.String(), "the broker panicked") {
		t.Errorf("log: %s", s.log)
	}
}

// A client may split a packet across WebSocket messages, and may send several packets in one message
// [MQTT-6.0.0-2].
func TestPacketsAcrossMessages(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "t", 1)
	var b bytes.Buffer
	const n = 200
	for i := range n {
		p := &packets.Publish{PacketID: uint16(i + 1), QoS: 1, Topic: "t", Payload: []byte(fmt.Sprint(i)), Properties: &packets.Properties{}}
		if _, err := p.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
	}
	all := b.Bytes()
	for _, size := range []int{1, 2, 3, 100, len(all)} {
		size = min(size, len(all))
		c.SendBytes(all[:size])
		all = all[size:]
	}
	acks, messages := 0, 0
	for acks+messages < 2*n {
		p, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		switch p := p.Content.(type) {
		case *packets.Puback:
			acks++
			if int(p.PacketID) != acks {
				t.Fatalf("PUBACK %d, want %d", p.PacketID, acks)
			}
		case *packets.Publish:
			if string(p.Payload) != fmt.Sprint(messages) {
				t.Fatalf("received %v, want message %d", p, messages)
			}
			messages++
			c.Send(&packets.Puback{PacketID: p.PacketID})
		}
	}
}

// A connection sends all queued packets before it closes.
func TestFlushedBeforeClose(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	var b bytes.Buffer
	for range 1000 {
		if _, err := (&packets.Pingreq{}).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
	}
	b.WriteString("\xf0\x00")
	c.SendBytes(b.Bytes())
	for range 1000 {
		mqtttest.Receive[*packets.Pingresp](c)
	}
	c.WantDisconnect(0x82)
}

// CloseGrace bounds the closing handshake, even if no goroutine reads from the connection.
func TestCloseWithoutClosingHandshake(t *testing.T) {
	b := start(t, Options{}).Broker
	took := make(chan time.Duration, 1)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := Accept(w, r, "mqtt", nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := b.NewConn(socket, ConnOptions{})
		begin := time.Now()
		c.Close()
		<-c.closed
		took <- time.Since(begin)
	}))
	defer h.Close()
	mqtttest.Dial(t, h.URL) // this client reads nothing
	if d := <-took; d < CloseGrace || d > 4*CloseGrace {
		t.Errorf("closing took %v, want %v", d, CloseGrace)
	}
}
