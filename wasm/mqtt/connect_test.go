package mqtt

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestConnectFields(t *testing.T) {
	p := newPeer(t)
	p.Open(0, ConnectOptions{
		ClientID: "ünï", Username: new("u"), Password: []byte("p"), KeepAlive: 30, CleanStart: true,
		SessionExpiry: 7, ReceiveMaximum: 8, MaximumPacketSize: 9, TopicAliasMaximum: 10,
		User: []UserPair{{"a", "1"}, {"a", "2"}},
		Will: &Will{
			Topic: "w", Payload: []byte("gone"), QoS: 1, Retain: true, Delay: 5, ContentType: "text/plain", PayloadFormatUTF8: true,
			MessageExpiry: new(uint32(60)), ResponseTopic: "r", CorrelationData: []byte{1}, User: []UserPair{{"k", "v"}},
		},
	})
	c := p.takePackets()[0].Content.(*packets.Connect)
	pr, wp := c.Properties, c.WillProperties
	for name, ok := range map[string]bool{
		"header":          c.ProtocolName == "MQTT" && c.ProtocolVersion == 5 && c.ClientID == "ünï" && c.KeepAlive == 30 && c.CleanStart,
		"user":            c.Username == "u" && string(c.Password) == "p",
		"properties":      *pr.SessionExpiryInterval == 7 && *pr.ReceiveMaximum == 8 && *pr.MaximumPacketSize == 9 && *pr.TopicAliasMaximum == 10,
		"user properties": slices.Equal(pr.User, []packets.User{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}}),
		"will":            c.WillFlag && c.WillTopic == "w" && string(c.WillMessage) == "gone" && c.WillQOS == 1 && c.WillRetain,
		"will properties": *wp.WillDelayInterval == 5 && wp.ContentType == "text/plain" && *wp.PayloadFormat == 1 && *wp.MessageExpiry == 60 &&
			wp.ResponseTopic == "r" && bytes.Equal(wp.CorrelationData, []byte{1}) && wp.User[0].Key == "k",
	} {
		if !ok {
			t.Errorf("%s: CONNECT is %v", name, c)
		}
	}
}

// paho decodes each will property that appendConnect encodes.
func TestWillProperties(t *testing.T) {
	long := strings.Repeat("x", maxFieldLen)
	for _, c := range []struct {
		name string
		will Will
		want packets.Properties
	}{
		{"none", Will{}, packets.Properties{}},
		{"delay", Will{Delay: 1 << 31}, packets.Properties{WillDelayInterval: new(uint32(1 << 31))}},
		{"payload format", Will{PayloadFormatUTF8: true}, packets.Properties{PayloadFormat: new(byte(1))}},
		{"message expiry", Will{MessageExpiry: new(uint32(60))}, packets.Properties{MessageExpiry: new(uint32(60))}},
		{"message expiry of 0 seconds", Will{MessageExpiry: new(uint32(0))}, packets.Properties{MessageExpiry: new(uint32(0))}},
		{"content type", Will{ContentType: "text/plain"}, packets.Properties{ContentType: "text/plain"}},
		{"response topic", Will{ResponseTopic: "réply/to"}, packets.Properties{ResponseTopic: "réply/to"}},
		{"correlation data", Will{CorrelationData: []byte{0, 0xff}}, packets.Properties{CorrelationData: []byte{0, 0xff}}},
		{"longest values", Will{ContentType: long, ResponseTopic: long, CorrelationData: []byte(long)},
			packets.Properties{ContentType: long, ResponseTopic: long, CorrelationData: []byte(long)}},
		{"user properties", Will{User: []UserPair{{"k", "1"}, {"k", "2"}, {"", ""}}},
			packets.Properties{User: []packets.User{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}, {}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.will
			w.Topic, w.Payload, w.QoS = "w", []byte("offline"), 1
			b := appendConnect(nil, &ConnectOptions{ClientID: "c", Password: []byte("p"), Will: &w})
			cp, err := packets.ReadPacket(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			p := cp.Content.(*packets.Connect)
			if p.WillTopic != "w" || string(p.WillMessage) != "offline" || p.WillQOS != 1 || string(p.Password) != "p" {
				t.Errorf("another field of the payload differs: %v", p)
			}
			if !reflect.DeepEqual(*p.WillProperties, c.want) {
				t.Errorf("the will properties are %v, want %v", p.WillProperties, &c.want)
			}
		})
	}
}

func TestConnackDefaults(t *testing.T) {
	p := connectedPeer(t, nil)
	g := p.Granted()
	if g.ReceiveMaximum != math.MaxUint16 || g.MaximumQoS != 2 || g.MaximumPacketSize != math.MaxUint32 || !g.RetainAvailable ||
		!g.SharedAvailable || !g.WildcardAvailable || !g.IdentifiersAvailable || g.KeepAlive != 60 || g.SessionExpiry != 100 || g.ClientID != "c" {
		t.Errorf("the granted values are %+v", g)
	}
	p = connectedPeer(t, func(pr *packets.Properties) {
		pr.ServerKeepAlive, pr.SessionExpiryInterval, pr.AssignedClientID = new(uint16(20)), new(uint32(3)), "other"
	})
	if g := p.Granted(); g.KeepAlive != 20 || g.SessionExpiry != 3 || g.ClientID != "other" {
		t.Errorf("the granted values are %+v", g)
	}
}

func TestConnackWithFailure(t *testing.T) {
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.receivePacket(packets.CONNACK, &packets.Connack{ReasonCode: 0x87, Properties: &packets.Properties{ReasonString: "no"}})
	p.expectEvents("refused not authorized (0x87); stopped not authorized (0x87) local=false")
	p.expectSent("")
}

func TestConnackOfMQTT311(t *testing.T) {
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.receiveHex("20 02 00 01")
	p.expectEvents("refused unsupported protocol version (0x84); stopped unsupported protocol version (0x84) local=false")
}

// No packet exceeds the server's Maximum Packet Size [MQTT-3.2.2-15]. When the maximum
// is too small for acknowledgements, the engine sends nothing.
func TestMaximumPacketSizeTooSmall(t *testing.T) {
	for _, size := range []uint32{1, 2, 3, 4} {
		p := newPeer(t)
		p.Open(0, testOptions)
		p.takePackets()
		p.connack(false, func(pr *packets.Properties) { pr.MaximumPacketSize = &size })
		if p.stopErr == nil || p.stopErr.Reason != PacketTooLarge || p.Unsent() != 0 {
			t.Errorf("Maximum Packet Size %d: the engine stops with %v and %d unsent bytes, want packet too large and 0", size, p.stopErr, p.Unsent())
		}
	}
	p := newPeer(t)
	p.Open(0, testOptions)
	p.takePackets()
	p.connack(false, func(pr *packets.Properties) { pr.MaximumPacketSize = new(uint32(5)) })
	p.Receive(0, appendAck(nil, typePubrel, 7, Success))
	p.Receive(0, []byte{0x36})
	p.Receive(0, []byte{0})
	for _, cp := range p.takePackets() {
		if cp.Type == packets.DISCONNECT && cp.Content.(*packets.Disconnect).ReasonCode != 0x81 {
			t.Errorf("the engine sends %v, want the reason code 0x81", cp)
		}
	}
	if p.expectEvents("connected session=false; stopped malformed packet (0x81) local=true"); p.stopErr == nil {
		t.Error("a malformed packet was accepted")
	}
}

func TestDisconnect(t *testing.T) {
	p := connectedPeer(t, nil)
	p.Disconnect()
	if !bytes.Equal(p.Output(), []byte{0xe0, 0}) {
		t.Errorf("the output is %x, want e000", p.Output())
	}
	p.Disconnect()
	p.publishText(1, 0, "t", "late")
	if len(p.Output()) != 2 { // [MQTT-3.14.4-1]
		t.Errorf("the output after DISCONNECT is %x, want e000", p.Output())
	}
	r := connectedPeer(t, nil)
	r.receiveHex("e000")
	r.expectEvents("stopped success (0x00) local=false")
	u := connectedPeer(t, nil)
	u.receivePacket(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{ReasonString: "you again"}})
	u.expectEvents("stopped session taken over (0x8E) local=false")
	u.expectSent("")
	if !strings.Contains(u.stopErr.Error(), "you again") {
		t.Errorf("the error %q does not contain the reason string", u.stopErr)
	}
}
