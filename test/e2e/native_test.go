package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/internal/pahotest"
	"iot.wasm/test/harness"
	broker "iot.wasm/test/mosquitto"
)

// native is a client outside the browser. It uses the WebSocket of nhooyr.io, paho's packets,
// and a URL that sigv4 has signed.
type native struct {
	t    *testing.T
	conn net.Conn
}

// dial connects a native client.
func dial(t *testing.T, s *harness.Server, clientID string) *native {
	t.Helper()
	l := s.Settings()
	conn, err := l.Dial()
	if err != nil {
		t.Fatalf("the server refuses the native client: %v", err)
	}
	n := &native{t, conn}
	t.Cleanup(func() { _ = n.conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	n.send(packets.CONNECT, &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: clientID, CleanStart: true, KeepAlive: 60, Properties: &packets.Properties{},
	})
	if ack := n.receive().(*packets.Connack); ack.ReasonCode != 0 {
		t.Fatalf("the broker refuses the native client: %v", ack)
	}
	return n
}

func (n *native) send(kind byte, content packets.Packet) {
	n.t.Helper()
	if _, err := n.conn.Write(pahotest.Encode(n.t, kind, content)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *native) receive() packets.Packet {
	n.t.Helper()
	cp, err := packets.ReadPacket(n.conn)
	if err != nil {
		n.t.Fatal(err)
	}
	return cp.Content
}

func (n *native) subscribe(filter string, qos byte) {
	n.t.Helper()
	n.send(packets.SUBSCRIBE, &packets.Subscribe{PacketID: 1, Properties: &packets.Properties{}, Subscriptions: []packets.SubOptions{{Topic: filter, QoS: qos}}})
	if ack := n.receive().(*packets.Suback); ack.Reasons[0] != qos {
		n.t.Fatalf("the broker grants QoS %d, want %d", ack.Reasons[0], qos)
	}
}

// message receives the next message and acknowledges it.
func (n *native) message() *packets.Publish {
	n.t.Helper()
	m := n.receive().(*packets.Publish)
	switch m.QoS {
	case 1:
		n.send(packets.PUBACK, &packets.Puback{PacketID: m.PacketID, Properties: &packets.Properties{}})
	case 2:
		n.send(packets.PUBREC, &packets.Pubrec{PacketID: m.PacketID, Properties: &packets.Properties{}})
		n.receive() // PUBREL
		n.send(packets.PUBCOMP, &packets.Pubcomp{PacketID: m.PacketID, Properties: &packets.Properties{}})
	}
	return m
}

func (n *native) publish(topic, payload string, qos byte) {
	n.t.Helper()
	n.send(packets.PUBLISH, &packets.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, PacketID: uint16(qos) * 7, Properties: &packets.Properties{}})
	switch qos {
	case 1:
		n.receive() // PUBACK
	case 2:
		n.receive() // PUBREC
		n.send(packets.PUBREL, &packets.Pubrel{PacketID: 14, Properties: &packets.Properties{}})
		n.receive() // PUBCOMP
	}
}

func TestPageAndNativeClient(t *testing.T) {
	s := harness.Serve(t, "-max-qos", "2")
	b := openModule(t, s)
	b.Is(`(await iot.connect({ ...at, credentials: local.credentials })).maximumQoS`, `2`)
	b.Eval(`globalThis.got = []; await iot.subscribe("to/page", (m) => got.push([m.text(), m.qos]), { qos: 2 })`, nil)
	n := dial(t, s, "native")
	n.subscribe("to/native", 2)
	for qos := range byte(3) {
		b.Is(fmt.Sprintf(`(await iot.publish("to/native", "hello %d", { qos: %d })).reasonCode`, qos, qos), `0`)
		if m := n.message(); string(m.Payload) != fmt.Sprintf("hello %d", qos) || m.QoS != qos {
			t.Errorf("with QoS %d, the native client receives %v", qos, m)
		}
		n.publish("to/page", fmt.Sprintf("hi %d", qos), qos)
	}
	b.Until(`got.length === 3`)
	b.Is(`got`, `[["hi 0",0],["hi 1",1],["hi 2",2]]`)
	// A payload of 128 KiB exceeds the broker's buffer for WebSocket frames.
	b.Eval(`const big = crypto.getRandomValues(new Uint8Array(65536)); const wide = new Uint8Array(131072).map((_, i) => big[i % 65536]); await iot.publish("to/native", wide, { qos: 1 })`, nil)
	m := n.message()
	var first []byte
	b.Eval(`Array.from(wide)`, &intsToBytes{&first})
	if !bytes.Equal(m.Payload, first) {
		t.Error("the received payload of 128 KiB differs from the sent one")
	}
}

// mosquitto and the stand-in differ in the choice of packet identifiers and in flow control.
func TestMosquitto(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`(await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" })).maximumQoS`, `2`)
	b.Eval(`globalThis.got = []; await iot.subscribe("to/page", (m) => got.push([m.text(), m.qos]), { qos: 2 });
		globalThis.all = Promise.all(Array.from({ length: 600 }, (_, i) => iot.publish("to/page", String(i), { qos: i % 3 })))`, nil)
	b.Until(`got.length === 600`)
	b.Is(`(await all).every((r) => r.reasonCode === 0)`, `true`)
	for qos := range 3 {
		b.Is(fmt.Sprintf(`got.filter(([, q]) => q === %d).map(([n]) => Number(n)).every((n, i) => n === 3 * i + %d)`, qos, qos), `true`)
	}
	b.Is(`(({ inflight, queued, messagesIn, messagesOut }) => [inflight, queued, messagesIn, messagesOut])(iot.stats())`, `[0,0,600,600]`)
}

// A broker accepts the right user name and password, and refuses others.
func TestPassword(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	file := filepath.Join(t.TempDir(), "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", file, "ann", "öpen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.Eval(`const endpoint = "`+mosquitto(t, "allow_anonymous false\npassword_file "+file)+`"`, nil)
	b.Is(`(await iot.connect({ endpoint, username: "ann", password: "öpen" })).keepAlive`, `120`)
	b.Eval(`await iot.disconnect()`, nil)
	b.Is(`(await iot.connect({ endpoint, username: "ann", password: new TextEncoder().encode("öpen") })).keepAlive`, `120`)
	b.Eval(`await iot.disconnect()`, nil)
	b.Fails(`iot.connect({ endpoint, username: "ann", password: "shut" })`, "IotError", "ERR_NOT_AUTHORIZED")
	b.Fails(`iot.connect({ endpoint })`, "IotError", "ERR_NOT_AUTHORIZED")
}

// The options of a custom authorizer are in the query of the URL, and not in errors.
func TestAuthorizer(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	b.Is(`await (async () => { let url; const Real = WebSocket; WebSocket = class extends Real { constructor(u, p) { super(u, p); url = u } };
		const error = await iot.connect({ endpoint: local.endpoint, authorizer: { name: "door", tokenKeyName: "key", token: "se cret", tokenSignature: "a+b/c=" } }).catch((e) => e); WebSocket = Real;
		return [new URL(url).search, error.code, error.message.includes("se cret") || error.message.includes("se%20cret")] })()`,
		`["?x-amz-customauthorizer-name=door&key=se%20cret&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D","ERR_SIGNATURE",false]`)
}

// mosquitto starts the broker mosquitto with WebSockets. settings are additional lines of its
// configuration.
func mosquitto(t *testing.T, settings string) (endpoint string) {
	t.Helper()
	b, err := broker.Start(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return "ws://" + b.Address + "/mqtt"
}

// intsToBytes decodes a JSON array of numbers as bytes.
type intsToBytes struct{ to *[]byte }

func (b *intsToBytes) UnmarshalJSON(data []byte) error {
	for _, field := range bytes.Split(bytes.Trim(data, "[] \n"), []byte(",")) {
		var n int
		if _, err := fmt.Sscan(string(field), &n); err != nil && err != io.EOF {
			return err
		}
		*b.to = append(*b.to, byte(n))
	}
	return nil
}
