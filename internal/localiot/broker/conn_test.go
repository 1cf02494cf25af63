package broker

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	mochi "github.com/mochi-mqtt/server/v2/packets"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"
)

// truncatedSubscribes end inside a topic filter's options; mochi-mqtt issue 501.
var truncatedSubscribes = []string{
	"\x82\x06\x00\x01\x00\x00\x01a",
	"\x82\x0a\x00\x01\x00\x00\x01a\x00\x00\x01b",
	"\x82\x0d\x00\x01\x07\x26\x00\x01k\x00\x01v\x00\x01a",
}

// These bytes do panic the broker's decoder.
func TestTruncatedSubscribesPanic(t *testing.T) {
	for _, s := range truncatedSubscribes {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("% x does not panic any more", s)
				}
			}()
			pk := mochi.Packet{ProtocolVersion: 5, FixedHeader: mochi.FixedHeader{Type: mochi.Subscribe}}
			pk.SubscribeDecode([]byte(s[2:]))
		}()
	}
}

func TestMalformedPackets(t *testing.T) {
	s := start(t, Options{})
	bystander, _ := s.connect("bystander", nil)
	bystander.Subscribe(1, "gone", 0)
	type test struct {
		name, bytes string
		reason      byte
	}
	tests := []test{
		{"remaining length of five bytes", "\xc0\x80\x80\x80\x80\x01", 0x81},
		{"reserved flags", "\x81\x00", 0x81},
		{"type 0", "\x00\x00", 0x82},
		{"QoS 3", "\x36\x05\x00\x01t\x00\x01", 0x82},
		{"AUTH", "\xf0\x00", 0x82},
		{"packet for clients", "\x20\x02\x00\x00", 0x82},
		{"invalid UTF-8", "\x30\x05\x00\x02\xc3\x28\x00", 0x81},
		{"property that PUBLISH does not have", "\x30\x09\x00\x01t\x05\x11\x00\x00\x00\x01", 0x81},
		{"properties cut", "\x30\x05\x00\x01t\x05\x02", 0x81},
		{"no packet identifier", "\x82\x07\x00\x00\x00\x00\x01a\x00", 0x82},
		{"no filters", "\x82\x03\x00\x01\x00", 0x82},
		{"subscription identifier", "\x82\x09\x00\x01\x02\x0b\x01\x00\x01a\x00", 0xA1},
		{"publish to a filter", "\x30\x06\x00\x03a/#\x00", 0x90},
		{"publish to the broker's topics", "\x30\x09\x00\x06$SYS/a\x00", 0x90},
		{"no topic, no alias", "\x30\x03\x00\x00\x00", 0x82},
		{"no topic, unknown alias", "\x30\x06\x00\x00\x03\x23\x00\x01", 0x82},
		{"alias 0", "\x30\x07\x00\x01t\x03\x23\x00\x00", 0x94},
		{"alias 9", "\x30\x07\x00\x01t\x03\x23\x00\x09", 0x94},
		{"packet too large", "\x30\x81\x90\x09", 0x95},
	}
	for i, bytes := range truncatedSubscribes {
		tests = append(tests, test{fmt.Sprint("truncated SUBSCRIBE ", i), bytes, 0x81})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := s.in(t).connect("c", willConnect(0, 0, true))
			c.SendBytes([]byte(test.bytes))
			c.WantDisconnect(test.reason)
			if p := mqtttest.Receive[*packets.Publish](bystander); string(p.Payload) != "bye" {
				t.Errorf("received %v, want the will", p)
			}
		})
	}
	bystander.Publish(1, "gone", "still here")
	mqtttest.Receive[*packets.Puback](bystander)
	mqtttest.Receive[*packets.Publish](bystander)
}

func TestBeforeConnect(t *testing.T) {
	s := start(t, Options{})
	for name, bytes := range map[string]string{
		"ping":                "\xc0\x00",
		"subscribe":           "\x82\x07\x00\x01\x00\x00\x01a\x00",
		"truncated subscribe": truncatedSubscribes[0],
		"malformed connect":   "\x10\x04\x00\x04MQ",
	} {
		t.Run(name, func(t *testing.T) {
			c := s.in(t).open()
			c.SendBytes([]byte(bytes))
			c.WantClose()
		})
	}
}

// Whatever a client sends, the process and the other clients live on.
func TestHostileClients(t *testing.T) {
	s := start(t, Options{})
	bystander, _ := s.connect("bystander", nil)
	var corpus [][]byte
	for _, cases := range mochi.TPacketData {
		for _, c := range cases {
			if len(c.RawBytes) > 0 {
				corpus = append(corpus, c.RawBytes)
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		c := s.open()
		if i%4 != 0 {
			c.Connect("hostile", nil)
		}
		var message []byte
		for range 1 + random.IntN(4) {
			packet := bytes.Clone(corpus[random.IntN(len(corpus))])
			for range random.IntN(3) {
				packet[random.IntN(len(packet))] ^= 1 << random.IntN(8)
			}
			if cut := random.IntN(len(packet)); cut > 1 && cut < 128 && i%3 == 0 {
				packet = packet[:cut]
				packet[1] = byte(cut - 2)
			}
			message = append(message, packet...)
		}
		c.SendBytes(message)
		c.WS.CloseNow()
	}
	bystander.Ping()
	if log := s.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

// Should the broker panic all the same, the connection is closed and the process lives.
func TestPanic(t *testing.T) {
	log := new(syncBuffer)
	b := &Broker{log: slog.New(slog.NewTextHandler(log, nil)), options: Options{ConnectTimeout: time.Minute}} // without a Server, which panics
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		b.NewConn(ws, nil).Serve()
	}))
	defer h.Close()
	ws, _, err := websocket.Dial(t.Context(), h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("got %v, want a normal closure", err)
	}
	if !strings.Contains(log.String(), "the broker panicked") {
		t.Errorf("log: %s", log)
	}
}

func TestLargestPacket(t *testing.T) {
	s := start(t, Options{NoQuotas: true})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "t", 0)
	payload := strings.Repeat("x", maximumPacketSize-4-4) // fixed header, topic and properties
	c.Publish(0, "t", payload)
	if p := mqtttest.Receive[*packets.Publish](c); string(p.Payload) != payload {
		t.Errorf("received %d bytes, want %d", len(p.Payload), len(payload))
	}
	c.Publish(0, "t", payload+"x")
	c.WantDisconnect(0x95)
}

// Packets may be cut and joined by WebSocket messages as a client likes.
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

func TestTopicAlias(t *testing.T) {
	s := start(t, Options{})
	allow := uint16(10)
	c, _ := s.connect("c", func(p *packets.Connect) { p.Properties = &packets.Properties{TopicAliasMaximum: &allow} })
	c.Subscribe(1, "a/long/topic", 0)
	alias := uint16(8)
	for _, topic := range []string{"a/long/topic", ""} {
		c.Send(&packets.Publish{Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
		p := mqtttest.Receive[*packets.Publish](c)
		if p.Topic != "a/long/topic" || p.Properties.TopicAlias != nil {
			t.Errorf("received %v", p)
		}
	}
}

// A packet that was written is not lost to the close that follows it, however much was written.
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

// Whatever arrives, what passes is whole packets that the broker's decoder takes.
func FuzzNext(f *testing.F) {
	for _, cases := range mochi.TPacketData {
		for _, c := range cases {
			f.Add(c.RawBytes, byte(5))
			f.Add(c.RawBytes, byte(4))
		}
	}
	for _, s := range truncatedSubscribes {
		f.Add([]byte(s), byte(5))
	}
	broker, err := New(Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, stream []byte, version byte) {
		c := &Conn{in: bufio.NewReader(bytes.NewReader(stream)), broker: broker, version: version}
		c.flow = newFlow(broker.server.NewClient(nil, listenerID, "fuzz", false))
		for passed := 0; ; {
			packet, err := c.next()
			if err != nil {
				return
			}
			if _, err := decode(packet, version); err != nil {
				t.Fatalf("% x passes, but: %v", packet, err)
			}
			if passed += len(packet); passed > len(stream) {
				t.Fatalf("%d bytes from %d", passed, len(stream))
			}
		}
	})
}

// Between the upgrade and the end of its CONNECT a client has a bounded time,
// whatever it sends meanwhile.
func TestConnectTimeout(t *testing.T) {
	s := start(t, Options{ConnectTimeout: 300 * time.Millisecond})
	for name, send := range map[string]func(*mqtttest.Client) error{
		"nothing": nil,
		"a beginning": func(c *mqtttest.Client) error {
			return c.WS.Write(c.Ctx, websocket.MessageBinary, []byte{packets.CONNECT << 4, 100, 0, 4, 'M'})
		},
		"empty messages":  func(c *mqtttest.Client) error { return c.WS.Write(c.Ctx, websocket.MessageBinary, nil) },
		"WebSocket pings": func(c *mqtttest.Client) error { return c.WS.Ping(c.Ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			c := s.open()
			ended := make(chan error, 1)
			go func() {
				for {
					if _, _, err := c.WS.Read(c.Ctx); err != nil {
						ended <- err
						return
					}
				}
			}()
			for again := send != nil; again; again = name != "a beginning" {
				if err := send(c); err != nil {
					break
				}
			}
			if err := <-ended; c.Ctx.Err() != nil {
				t.Errorf("it is connected after 10 s: %v", err)
			}
		})
	}
}

// The timer of the timeout may expire while the connection is still being made.
func TestConnectTimeoutExpiresAtOnce(t *testing.T) {
	s := start(t, Options{ConnectTimeout: 1})
	for range 100 {
		s.open().WantClose()
	}
}
