package broker

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
	mochi "github.com/mochi-mqtt/server/v2/packets"
)

// truncatedSubscribes are SUBSCRIBE packets that end before the options of a topic filter (mochi-mqtt
// issue 501).
var truncatedSubscribes = []string{
	"\x82\x06\x00\x01\x00\x00\x01a",
	"\x82\x0a\x00\x01\x00\x00\x01a\x00\x00\x01b",
	"\x82\x0d\x00\x01\x07\x26\x00\x01k\x00\x01v\x00\x01a",
}

// If this test fails, mochi-mqtt has fixed issue 501, and decode need not recover from it.
func TestTruncatedSubscribesPanic(t *testing.T) {
	for _, s := range truncatedSubscribes {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("% x does not panic", s)
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
		{"CONNACK", "\x20\x02\x00\x00", 0x82},
		{"invalid UTF-8", "\x30\x05\x00\x02\xc3\x28\x00", 0x81},
		{"property that PUBLISH does not have", "\x30\x09\x00\x01t\x05\x11\x00\x00\x00\x01", 0x81},
		{"properties cut", "\x30\x05\x00\x01t\x05\x02", 0x81},
		{"no packet identifier", "\x82\x07\x00\x00\x00\x00\x01a\x00", 0x82},
		{"no filters", "\x82\x03\x00\x01\x00", 0x82},
		{"subscription identifier", "\x82\x09\x00\x01\x02\x0b\x01\x00\x01a\x00", 0xA1},
		{"publish to a filter", "\x30\x06\x00\x03a/#\x00", 0x90},
		{"publish to $SYS", "\x30\x09\x00\x06$SYS/a\x00", 0x90},
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

// Malformed packets of a client do not end the process, and do not affect other clients.
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

// FuzzNext checks that next ends with an error, and reads no packet twice.
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
		c := &Conn{reader: bufio.NewReader(bytes.NewReader(stream)), broker: broker, version: version}
		for packets := 0; ; packets++ {
			if _, err := c.next(); err != nil {
				return
			}
			if packets > len(stream)/2 {
				t.Fatalf("next returned %d packets of %d bytes", packets, len(stream))
			}
		}
	})
}
