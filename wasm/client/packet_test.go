package client

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/mutant"
	"iot.wasm/internal/pahotest"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// tracing returns a world with a client that traces packets, and whose socket is open.
func tracing(t *testing.T, edit func(*Options)) *world {
	w := newWorld(t)
	o := unsigned()
	if edit != nil {
		edit(&o)
	}
	w.TracePackets()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	return w
}

// sendAll passes the output to the socket in pieces of n bytes, and returns it.
func (w *world) sendAll(n int) (sent []byte) {
	w.Buffered(w.now, 0)
	w.PrepareOutput()
	for len(w.Output()) > 0 {
		piece := w.Output()[:min(n, len(w.Output()))]
		sent = append(sent, piece...)
		w.Flushed(w.now, len(piece))
		w.Buffered(w.now, 0)
	}
	return sent
}

// names describes the reported packets: the direction and the type.
func (w *world) names() string {
	var list []string
	for _, p := range w.packets {
		direction := "<"
		if p.out {
			direction = ">"
		}
		list = append(list, direction+(&packets.ControlPacket{FixedHeader: packets.FixedHeader{Type: p.packet[0] >> 4}}).PacketType())
	}
	return strings.Join(list, " ")
}

// TestPackets exchanges packets of all types, in frames of several sizes. The reported
// packets must be the bytes on the wire.
func TestPackets(t *testing.T) {
	for _, n := range []int{1, 3, 1 << 20} {
		t.Run(fmt.Sprintf("frames of %d bytes", n), func(t *testing.T) {
			w := tracing(t, nil)
			var sent, received []byte
			broker := func(kind byte, content packets.Packet) {
				b := pahotest.Encode(t, kind, content)
				received = append(received, b...)
				for ; len(b) > 0; b = b[min(n, len(b)):] {
					w.Receive(w.now, w.attempt, b[:min(n, len(b))], 0)
				}
				sent = append(sent, w.sendAll(n)...)
			}
			none := &packets.Properties{}
			sent = append(sent, w.sendAll(n)...)
			broker(packets.CONNACK, &packets.Connack{Properties: none})
			w.sub(2, "t", 2)
			sent = append(sent, w.sendAll(n)...)
			broker(packets.SUBACK, &packets.Suback{PacketID: 1, Reasons: []byte{2}, Properties: none})
			for qos := range byte(3) {
				broker(packets.PUBLISH, &packets.Publish{Topic: "t", QoS: qos, PacketID: 7, Payload: make([]byte, 300), Properties: none})
				w.pub(3, qos, "t", "payload")
			}
			sent = append(sent, w.sendAll(n)...)
			broker(packets.PUBREL, &packets.Pubrel{PacketID: 7, Properties: none})
			broker(packets.PUBACK, &packets.Puback{PacketID: 2, Properties: none})
			broker(packets.PUBREC, &packets.Pubrec{PacketID: 3, Properties: none})
			broker(packets.PUBCOMP, &packets.Pubcomp{PacketID: 3, Properties: none})
			w.UnsubscribeAll(w.now, 4, "t")
			sent = append(sent, w.sendAll(n)...)
			broker(packets.UNSUBACK, &packets.Unsuback{PacketID: 4, Reasons: []byte{0}, Properties: none})
			w.Wake(w.now)
			sent = append(sent, w.sendAll(n)...)
			broker(packets.PINGRESP, &packets.Pingresp{})
			w.Disconnect(w.now, 5)
			sent = append(sent, w.lastOut...)

			const want = ">CONNECT <CONNACK >SUBSCRIBE <SUBACK <PUBLISH <PUBLISH >PUBACK >PUBLISH <PUBLISH >PUBREC >PUBLISH >PUBLISH " +
				"<PUBREL >PUBCOMP <PUBACK <PUBREC >PUBREL <PUBCOMP >UNSUBSCRIBE <UNSUBACK >PINGREQ <PINGRESP >DISCONNECT"
			if n == 1<<20 && w.names() != want {
				t.Errorf("the packets are  %s\nwant %s", w.names(), want)
			}
			w.expectWire(sent, received)
		})
	}
}

// expectWire compares the bytes of the reported packets with the bytes on the wire.
func (w *world) expectWire(sent, received []byte) {
	w.t.Helper()
	var out, in []byte
	for _, p := range w.packets {
		if p.size != len(p.packet) {
			w.t.Errorf("a packet has the size %d, and %d bytes", p.size, len(p.packet))
		}
		if p.out {
			out = append(out, p.packet...)
		} else {
			in = append(in, p.packet...)
		}
	}
	if !bytes.Equal(out, sent) {
		w.t.Errorf("the sent packets are\n%x, want\n%x", out, sent)
	}
	if !bytes.Equal(in, received) {
		w.t.Errorf("the received packets are\n%x, want\n%x", in, received)
	}
}

// The trace begins during a connection, when a packet of each direction is incomplete.
func TestPacketsFromTheMiddle(t *testing.T) {
	w := online(t, nil)
	in := pahotest.Encode(t, packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte("received"), Properties: &packets.Properties{}})
	w.pub(2, 0, "t", "first")
	w.pub(3, 0, "t", "second")
	w.Flushed(w.now, len(w.Output()[:9]))
	w.Receive(w.now, w.attempt, in[:5], 0)
	w.TracePackets()
	w.Receive(w.now, w.attempt, in[5:], 0)
	w.TracePackets() // another listener
	w.sendAll(1)
	if got := w.names(); got != "<PUBLISH >PUBLISH" || !strings.HasSuffix(w.packets[1].packet, "second") || w.packets[0].packet != string(in) {
		t.Errorf("the packets are %s %+v", got, w.packets)
	}
}

// A large packet is cut. A packet that cannot be sent is not reported.
func TestPacketBounds(t *testing.T) {
	w := tracing(t, nil)
	w.sendAll(1 << 20)
	w.connack(false)
	w.packets = nil
	large := strings.Repeat("x", 300_000)
	w.pub(2, 0, "t", large)
	w.sendAll(100_000)
	w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte(large), Properties: &packets.Properties{}})
	for _, p := range w.packets {
		if len(p.packet) != maxPacketBytes || p.size != len(large)+8 {
			t.Errorf("%d bytes of a packet of %d bytes, want %d of %d", len(p.packet), p.size, maxPacketBytes, len(large)+8)
		}
	}
	if len(w.packets) != 2 {
		t.Errorf("%d packets, want 2", len(w.packets))
	}
	w.pub(3, 1, "t", "lost")
	w.loseSocket(1006)
	if len(w.packets) != 2 {
		t.Errorf("a packet is reported that was not sent: %s", w.names())
	}
}

// The page sees the packet for which the client ends the connection, and the DISCONNECT.
func TestFaultyPackets(t *testing.T) {
	for name, b := range map[string][]byte{
		"AUTH": {0xf0, 0}, "a packet of a client": {0xc0, 0}, "type 0": {0, 1, 2}, "wrong flags": {0xd5, 0},
		"a wrong body": {0x40, 1, 0}, "a reason code": {0x40, 3, 0, 1, 0x05},
	} {
		t.Run(name, func(t *testing.T) {
			w := tracing(t, nil)
			w.sendAll(1 << 20)
			w.connack(false)
			w.packets = nil
			w.Receive(w.now, w.attempt, b, 0)
			if len(w.packets) != 2 || w.packets[0].packet != string(b) || w.packets[1].packet[0] != 0xe0 {
				t.Errorf("the packets are %+v", w.packets)
			}
		})
	}
	w := tracing(t, nil)
	w.Receive(w.now, w.attempt, []byte{0x20, 0xff, 0xff, 0xff, 0xff, 1, 2, 3}, 0) // the length has five bytes
	if w.names() != ">CONNECT >DISCONNECT" {
		t.Errorf("the packets are %s", w.names())
	}
}

// Packets do not contain a secret of the connection, wherever it is.
func TestPacketsContainNoSecret(t *testing.T) {
	const password, user, token = "/pass/word!", "user?token=inUser", "to/ken+with blanks"
	check := func(t *testing.T, w *world, secrets ...string) {
		t.Helper()
		if len(w.packets) == 0 {
			t.Fatal("no packet is reported")
		}
		for _, p := range w.packets {
			for _, s := range secrets {
				if strings.Contains(p.packet, s) {
					t.Errorf("a packet contains %q: %q", s, p.packet)
				}
			}
		}
	}
	for _, password := range []string{password, "pw"} {
		w := tracing(t, func(o *Options) { o.Username, o.Password = new(user), secret.String(password) })
		real := w.sendAll(1 << 20)
		check(t, w, password, user, "inUser")
		want := strings.ReplaceAll(strings.ReplaceAll(string(real), password, strings.Repeat("*", len(password))), user, strings.Repeat("*", len(user)))
		if w.packets[0].packet != want {
			t.Errorf("the CONNECT is %q, want %q", w.packets[0].packet, want)
		}
	}
	for name, edit := range map[string]func(*Options){
		"the only credential":           func(o *Options) { o.Username = new("tokenUser") },
		"a user of a custom authorizer": func(o *Options) { o.Username, o.Password, o.Authorizer = new("tokenUser"), "password", "token=x" },
		"a user of AWS":                 func(o *Options) { o.Username, o.Password, o.Quotas = new("tokenUser"), "password", AWSQuotas },
		"a large CONNECT before the end": func(o *Options) {
			o.Username, o.Will = new("tokenUser"), &mqtt.Will{Topic: "t", Payload: make([]byte, 65_400)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := tracing(t, edit)
			w.sendAll(1 << 20)
			check(t, w, "tokenUser", "tokenU", "password")
		})
	}
	t.Run("a user with a password", func(t *testing.T) {
		w := tracing(t, func(o *Options) { o.Username, o.Password = new("alice"), "password" })
		w.sendAll(1 << 20)
		if check(t, w, "password"); !strings.Contains(w.packets[0].packet, "alice\x00\x08********") {
			t.Errorf("the CONNECT is %q", w.packets[0].packet)
		}
	})
	t.Run("texts and payloads", func(t *testing.T) {
		w := tracing(t, func(o *Options) {
			o.Password, o.Authorizer = password, Authorizer("auth", "key", token, "sig/nature==")
		})
		w.sendAll(1 << 20)
		w.connack(false)
		w.pub(2, 0, "t", "my "+password+" and "+strings.ReplaceAll(token, "/", "%2F")+" and sig/nature==")
		w.pub(3, 0, "t", strings.Repeat("x", maxPacketBytes-14)+password)
		w.sendAll(1 << 20)
		w.fromBroker(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x87, Properties: &packets.Properties{ReasonString: `no "\/pass\/word!" nor %2Fpass%2Fword!`}})
		check(t, w, password, password[:4], `pass\/word!`, "%2Fpass", token, "to%2Fken", "sig/nature")
		if got := w.packets[2].packet; !strings.HasSuffix(got, "my *********** and ******************** and ************") {
			t.Errorf("the message is %q", got)
		}
	})
	t.Run("a signed URL", func(t *testing.T) {
		w := signed(t)
		w.TracePackets()
		w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, midnight)
		w.Opened(0, w.attempt)
		w.sendAll(1 << 20)
		w.fromBroker(packets.CONNACK, &packets.Connack{ReasonCode: 0x87, Properties: &packets.Properties{ReasonString: "not " + w.url + " nor " + goodKey.SessionToken.Reveal()}})
		check(t, w, "X-Amz-Signature", "to/ken+")
	})
}

// The tests of this file fail for each deliberate bug.
func TestPacketMutants(t *testing.T) {
	for name, m := range map[string]struct{ file, old, replacement string }{
		"no mask":                     {"packet.go", "	c.secrets.mask(packet)\n", ""},
		"no mask of the password":     {"packet.go", "		hide(packet, at, size)\n", ""},
		"no mask of the user name":    {"packet.go", "			hide(packet, at-len(*user), at)\n", ""},
		"a mask of the cut packet":    {"packet.go", "maxMasked = 128 << 10", "maxMasked = maxPacketBytes"},
		"no escapes":                  {"secrets.go", "case secret[0], '%', '+', '\\\\':", "case secret[0]:"},
		"no last packet":              {"close.go", "c.trace(&c.sent, true, last)", ""},
		"a packet of a closed socket": {"close.go", "if c.closeCode == 0 {", "if true {"},
		"an unknown start":            {"packet.go", "c.sent = wire{size: -1, left: n}", ""},
		"no start of a partial":       {"packet.go", "	c.trace(&c.received, false, c.engine.Partial())\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := mutant.Overlay(t.TempDir(), m.file, m.old, m.replacement)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "test", "-vet=off", "-overlay", config, "-run", "Packets|PacketBounds", "-skip", "Mutants", ".").CombinedOutput()
			if err == nil {
				t.Error("the tests pass")
			} else if !strings.Contains(string(out), "--- FAIL: Test") {
				t.Errorf("the tests did not run: %s", out)
			}
		})
	}
}
