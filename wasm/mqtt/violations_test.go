package mqtt

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// serverViolations has packets that a server must not send, in hex, and the reason
// code of the client's DISCONNECT. The server sends a packet that begins with x in
// place of the CONNACK, and other packets after the CONNACK.
var serverViolations = []struct {
	name, bytes string
	want        Reason
}{
	{"packet type 0", "00 00", MalformedPacket},
	{"packet type 0 before CONNACK", "x 00 00", MalformedPacket},
	{"CONNECT", "10 00", ProtocolError},
	{"SUBSCRIBE", "82 00", ProtocolError},
	{"UNSUBSCRIBE", "a2 00", ProtocolError},
	{"PINGREQ", "c0 00", ProtocolError},
	{"AUTH without authentication method [MQTT-4.12.0-6]", "f0 00", ProtocolError},
	{"PUBLISH before CONNACK [MQTT-3.2.0-1]", "x 30 04 0001 61 00", ProtocolError},
	{"PINGRESP before CONNACK", "x d0 00", ProtocolError},
	{"second CONNACK", "20 03 00 00 00", ProtocolError},

	{"CONNACK with flags in the header [MQTT-2.1.3-1]", "x 21 03 00 00 00", MalformedPacket},
	{"CONNACK with reserved flags [MQTT-3.2.2-1]", "x 20 03 02 00 00", MalformedPacket},
	{"CONNACK with session present after a clean start [MQTT-3.2.2-2]", "x 20 03 01 00 00", ProtocolError},
	{"CONNACK with failure and session present [MQTT-3.2.2-6]", "x 20 03 01 87 00", ProtocolError},
	{"DISCONNECT before CONNACK [MQTT-3.14.0-1]", "x e0 00", ProtocolError},
	{"CONNACK with an authentication method [MQTT-4.12.0-6]", "x 20 07 00 00 04 15 0001 61", MalformedPacket},
	{"truncated CONNACK", "x 20 01 00", MalformedPacket},
	{"CONNACK with extra bytes", "x 20 04 00 00 00 00", MalformedPacket},
	{"CONNACK with a reason code of DISCONNECT", "x 20 03 00 8b 00", ProtocolError},
	{"CONNACK with an unknown reason code", "x 20 03 00 01 00", ProtocolError},
	{"CONNACK with Receive Maximum 0", "x 20 06 00 00 03 21 0000", ProtocolError},
	{"CONNACK with Maximum Packet Size 0", "x 20 08 00 00 05 27 00000000", ProtocolError},
	{"CONNACK with Maximum QoS 2", "x 20 05 00 00 02 24 02", ProtocolError},
	{"CONNACK with Retain Available 2", "x 20 05 00 00 02 25 02", ProtocolError},
	{"CONNACK with Maximum QoS twice", "x 20 07 00 00 04 24 01 24 01", ProtocolError},
	{"CONNACK with a property of PUBLISH", "x 20 06 00 00 03 23 0001", ProtocolError},
	{"CONNACK with an unknown property", "x 20 05 00 00 02 7e 00", MalformedPacket},
	{"CONNACK with a truncated property", "x 20 05 00 00 02 21 00", MalformedPacket},
	{"CONNACK with a property length beyond its end", "x 20 03 00 00 7f", MalformedPacket},
	{"CONNACK with a reason string that is not UTF-8", "x 20 07 00 00 04 1f 0001 ff", MalformedPacket},

	{"remaining length of five bytes", "30 ff ff ff ff 7f", MalformedPacket},
	{"remaining length longer than necessary [MQTT-1.5.5-1]", "30 84 00 0001 61 00", MalformedPacket},
	{"packet larger than Maximum Packet Size [MQTT-3.1.2-24]", "30 e8 07", PacketTooLarge},
	{"announced packet of 256 MiB", "30 ff ff ff 7f", PacketTooLarge},

	{"PUBLISH with QoS 3 [MQTT-3.3.1-4]", "36 06 0001 61 0001 00", MalformedPacket},
	{"PUBLISH with DUP at QoS 0 [MQTT-3.3.1-2]", "38 04 0001 61 00", MalformedPacket},
	{"PUBLISH with packet identifier 0", "32 06 0001 61 0000 00", ProtocolError},
	{"PUBLISH truncated in its topic", "30 02 0005", MalformedPacket},
	{"PUBLISH truncated in its topic length", "30 01 00", MalformedPacket},
	{"PUBLISH truncated in its packet identifier", "32 04 0001 61 00", MalformedPacket},
	{"PUBLISH without properties", "30 03 0001 61", MalformedPacket},
	{"PUBLISH with a property length longer than necessary", "30 05 0001 61 80 00", MalformedPacket},
	{"PUBLISH to a wildcard [MQTT-3.3.2-2]", "30 04 0001 2b 00", TopicNameInvalid},
	{"PUBLISH to U+0000 [MQTT-1.5.4-2]", "30 04 0001 00 00", MalformedPacket},
	{"PUBLISH to invalid UTF-8 [MQTT-1.5.4-1]", "30 04 0001 ff 00", MalformedPacket},
	{"PUBLISH to a surrogate", "30 06 0003 eda080 00", MalformedPacket},
	{"PUBLISH with neither topic nor alias", "30 03 0000 00", ProtocolError},
	{"PUBLISH with alias 0 [MQTT-3.3.2-8]", "30 07 0001 61 03 23 0000", TopicAliasInvalid},
	{"PUBLISH with an alias too large [MQTT-3.1.2-26]", "30 07 0001 61 03 23 0006", TopicAliasInvalid},
	{"PUBLISH with an alias without a topic", "30 06 0000 03 23 0005", ProtocolError},
	{"PUBLISH with payload format 2", "30 06 0001 61 02 01 02", ProtocolError},
	{"PUBLISH with a wildcard in its response topic [MQTT-3.3.2-14]", "30 08 0001 61 04 08 0001 23", ProtocolError},
	{"PUBLISH with subscription identifier 0", "30 06 0001 61 02 0b 00", ProtocolError},
	{"PUBLISH with content type twice", "30 0c 0001 61 08 03 0001 61 03 0001 61", ProtocolError},
	{"PUBLISH with a property of CONNACK", "30 07 0001 61 03 21 0001", ProtocolError},
	{"PUBLISH with property 127", "30 06 0001 61 02 7f 00", MalformedPacket},
	{"PUBLISH with property 43", "30 06 0001 61 02 2b 00", MalformedPacket},

	{"PUBACK with flags", "41 02 0001", MalformedPacket},
	{"truncated PUBACK", "40 01 00", MalformedPacket},
	{"PUBACK for packet identifier 0", "40 02 0000", ProtocolError},
	{"PUBACK with a reason code of PUBCOMP [MQTT-3.4.2-1]", "40 03 0001 92", ProtocolError},
	{"PUBREL with flags 0", "60 02 0001", MalformedPacket},
	{"PUBREL with a reason code of PUBACK", "62 03 0001 10", ProtocolError},
	{"PUBCOMP with extra bytes", "70 05 0001 00 00 00", MalformedPacket},

	{"SUBACK without a SUBSCRIBE [MQTT-2.2.1-6]", "90 04 0009 00 00", ProtocolError},
	{"truncated SUBACK", "90 02 0001", MalformedPacket},
	{"SUBACK with reason code 3", "90 04 0001 00 03", ProtocolError},
	{"UNSUBACK with reason code 1", "b0 04 0001 00 01", ProtocolError},
	{"PINGRESP with a body", "d0 01 00", MalformedPacket},
	{"DISCONNECT with a client's reason code", "e0 01 04", ProtocolError},
	{"DISCONNECT with session expiry [MQTT-3.14.2-2]", "e0 07 00 05 11 00000001", ProtocolError},
	{"DISCONNECT with an unknown reason code", "e0 01 05", ProtocolError},
	{"DISCONNECT with extra bytes", "e0 03 00 00 00", MalformedPacket},
}

func TestServerViolations(t *testing.T) {
	for _, c := range serverViolations {
		t.Run(c.name, func(t *testing.T) {
			digits, before := strings.CutPrefix(c.bytes, "x")
			for _, size := range []int{1, 1000} { // byte by byte, and as a whole
				p := newPeer(t)
				p.Open(0, testOptions)
				p.takePackets()
				if !before {
					p.connack(false, nil)
					p.events()
				}
				b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
				if err != nil {
					t.Fatal(err)
				}
				for ; len(b) > 0; b = b[min(size, len(b)):] {
					p.Receive(0, b[:min(size, len(b))])
				}
				p.expectEvents(fmt.Sprintf("stopped %v local=true", c.want))
				p.expectSent(fmt.Sprintf("DISCONNECT(%x)", byte(c.want)))
				p.Receive(0, []byte{0xd0, 0}) // ignored
				p.expectSent("")
			}
		})
	}
}

func TestViolationsInFlows(t *testing.T) {
	t.Run("receive maximum exceeded [MQTT-3.3.4-9]", func(t *testing.T) {
		p := connectedPeer(t, nil)
		var frame []byte
		for i := range 11 {
			frame = appendPublish(frame, []byte("t"), nil, nil, 1, false, false, uint16(i+1), 0)
		}
		p.Receive(0, frame[:len(frame)-8])
		p.takePackets() // the acknowledgements are sent and free the quota
		p.events()
		p.Receive(0, frame)
		if got := p.events(); !strings.HasSuffix(got, "stopped receive maximum exceeded (0x93) local=true") {
			t.Errorf("the events are %q", got)
		}
	})
	t.Run("QoS 2 without PUBREL counts against receive maximum", func(t *testing.T) {
		p := connectedPeer(t, nil)
		for i := range 11 {
			p.Receive(0, appendPublish(nil, []byte("t"), nil, nil, 2, false, false, uint16(i+1), 0))
			p.Flushed(0, len(p.Output()))
		}
		if got := p.events(); !strings.HasSuffix(got, "stopped receive maximum exceeded (0x93) local=true") {
			t.Errorf("the events are %q", got)
		}
	})
	t.Run("PUBACK for QoS 2", func(t *testing.T) {
		p := connectedPeer(t, nil)
		p.publishText(1, 2, "t", "")
		p.receiveHex("4002 0001")
		p.expectEvents("stopped protocol error (0x82) local=true")
	})
	t.Run("PUBCOMP before PUBREC", func(t *testing.T) {
		p := connectedPeer(t, nil)
		p.publishText(1, 2, "t", "")
		p.receiveHex("7002 0001")
		p.expectEvents("stopped protocol error (0x82) local=true")
	})
	t.Run("SUBACK with too few codes [MQTT-3.8.4-6]", func(t *testing.T) {
		p := connectedPeer(t, nil)
		_ = p.Subscribe(p.now, 1, []Subscription{{Filter: "a"}, {Filter: "b"}}, nil)
		p.receiveHex("9004 0001 00 00")
		p.expectEvents("stopped protocol error (0x82) local=true")
	})
	t.Run("UNSUBACK for a SUBSCRIBE", func(t *testing.T) {
		p := connectedPeer(t, nil)
		_ = p.Subscribe(p.now, 1, []Subscription{{Filter: "a"}}, nil)
		p.receiveHex("b004 0001 00 00")
		p.expectEvents("stopped protocol error (0x82) local=true")
	})
	t.Run("PUBREC for an unknown packet identifier is answered", func(t *testing.T) {
		p := connectedPeer(t, nil)
		p.receiveHex("5002 0007")
		p.expectSent("PUBREL(#7 92)")
		p.expectEvents("")
	})
}

func TestAnnouncedLengthAllocatesNothing(t *testing.T) {
	p := newPeer(t)
	p.Open(0, ConnectOptions{ClientID: "c"}) // without a Maximum Packet Size
	p.connack(false, nil)
	p.receiveHex("30 ff ff ff 7f 0001")
	if len(p.partial) != 7 || cap(p.partial) > 1024 {
		t.Errorf("%d bytes kept and %d allocated for 7 bytes", len(p.partial), cap(p.partial))
	}
}

// TestPacketCases runs the test cases of npm's mqtt-packet (MIT licence) for valid and
// invalid packets of an MQTT 5 server.
func TestPacketCases(t *testing.T) {
	data, err := os.ReadFile("testdata/mqtt-packet-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Kind, Name, Cmd, Hex string
		Version              int
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	// lax has the packets that mqtt-packet accepts and the standard forbids, and the
	// engine's errors.
	lax := map[string]string{
		"Version 5 CONNACK test 1":                                   "CONNACK is truncated",
		"Version 5 CONNACK test 3":                                   "session present after a clean start",
		"disconnect MQTT 5":                                          "property 17 is not allowed in a DISCONNECT",
		"connack MQTT 5 with properties":                             "property 36 has the value 2",
		"connack MQTT 5 with properties and doubled user properties": "property 36 has the value 2",
	}
	ran := 0
	for _, c := range cases {
		fromServer := strings.Contains(" connack publish puback pubrec pubrel pubcomp suback unsuback disconnect ", " "+c.Cmd+" ")
		parses := strings.HasPrefix(c.Kind, "testParse") && c.Kind != "testParseError"
		if c.Version != 5 || c.Hex == "" || (!fromServer && c.Kind != "testParseError") || (fromServer && !parses) {
			continue
		}
		ran++
		t.Run(c.Name, func(t *testing.T) {
			p := newPeer(t)
			o := testOptions
			o.TopicAliasMaximum = 65535
			p.Open(0, o)
			b, err := hex.DecodeString(c.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if packetType(b[0]>>4) != typeConnack {
				p.connack(false, nil)
			}
			switch packetType(b[0] >> 4) {
			case typeSuback:
				p.lastPacketID = 5
				_ = p.Subscribe(p.now, 1, make([]Subscription, 4), nil)
			case typeUnsuback:
				p.lastPacketID = 7
				_ = p.Unsubscribe(p.now, 1, make([]string, 2))
			}
			p.events()
			p.Receive(0, b)
			failed := p.stopErr != nil && p.stopErr.Local
			want := c.Kind == "testParseError" || lax[c.Name] != ""
			if failed != want {
				t.Errorf("%s: rejected: %v, want %v (%v)", c.Hex, failed, want, p.stopErr)
			}
			if failed && !strings.Contains(p.stopErr.Detail, lax[c.Name]) {
				t.Errorf("%s: rejected with %q, want %q", c.Hex, p.stopErr.Detail, lax[c.Name])
			}
			if len(p.partial) > 0 {
				t.Errorf("%s: the engine waits for more bytes", c.Hex)
			}
		})
	}
	if ran < 40 {
		t.Errorf("only %d cases ran", ran)
	}
}
