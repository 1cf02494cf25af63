package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"nhooyr.io/websocket"

	broker "iot.wasm/test/mosquitto"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// native is a client outside the browser: nhooyr's WebSocket, paho's packets,
// and a URL that sigv4 has signed.
type native struct {
	t    *testing.T
	conn net.Conn
}

func dial(t *testing.T, s *server, clientID string) *native {
	t.Helper()
	l := s.settings()
	e, err := sigv4.ParseEndpoint(l.Endpoint, l.Region)
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4.Credentials{AccessKeyID: l.Credentials.AccessKeyID, SecretAccessKey: secret.String(l.Credentials.SecretAccessKey)}
	url, err := sigv4.Presign(e, key, time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ws, _, err := websocket.Dial(ctx, url.Reveal(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatalf("the native client is refused: %v", bytes.ReplaceAll([]byte(err.Error()), []byte(url.Reveal()), []byte("[URL]")))
	}
	ws.SetReadLimit(-1)
	n := &native{t, websocket.NetConn(ctx, ws, websocket.MessageBinary)}
	t.Cleanup(func() { _ = n.conn.Close() })
	n.send(packets.CONNECT, &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: clientID, CleanStart: true, KeepAlive: 60, Properties: &packets.Properties{},
	})
	if ack := n.receive().(*packets.Connack); ack.ReasonCode != 0 {
		t.Fatalf("the native client is refused: %v", ack)
	}
	return n
}

func (n *native) send(kind byte, content packets.Packet) {
	n.t.Helper()
	cp := packets.NewControlPacket(kind)
	cp.Content = content
	var b bytes.Buffer
	if _, err := cp.WriteTo(&b); err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.conn.Write(b.Bytes()); err != nil {
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
		n.t.Fatalf("granted %d, want QoS %d", ack.Reasons[0], qos)
	}
}

// message takes the next message, acknowledging it as its QoS asks for.
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
	s := serve(t, "-max-qos", "2")
	b := blank(t, s)
	b.is(`(await iot.connect({ ...at, credentials: local.credentials })).maximumQoS`, `2`)
	b.eval(`globalThis.got = []; await iot.subscribe("to/page", (m) => got.push([m.text(), m.qos]), { qos: 2 })`, nil)
	n := dial(t, s, "native")
	n.subscribe("to/native", 2)
	for qos := range byte(3) {
		b.is(fmt.Sprintf(`(await iot.publish("to/native", "hello %d", { qos: %d })).reasonCode`, qos, qos), `0`)
		if m := n.message(); string(m.Payload) != fmt.Sprintf("hello %d", qos) || m.QoS != qos {
			t.Errorf("QoS %d: %v", qos, m)
		}
		n.publish("to/page", fmt.Sprintf("hi %d", qos), qos)
	}
	b.until(`got.length === 3`)
	b.is(`got`, `[["hi 0",0],["hi 1",1],["hi 2",2]]`)
	// A payload larger than a WebSocket frame of the broker's buffers, and many at once.
	b.eval(`const big = crypto.getRandomValues(new Uint8Array(65536)); const wide = new Uint8Array(131072).map((_, i) => big[i % 65536]); await iot.publish("to/native", wide, { qos: 1 })`, nil)
	m := n.message()
	var first []byte
	b.eval(`Array.from(wide)`, &intsToBytes{&first})
	if !bytes.Equal(m.Payload, first) {
		t.Error("128 KiB did not arrive as they were sent")
	}
}

// A second broker, whose packet identifiers and flow control are its own.
func TestMosquitto(t *testing.T) {
	b := blank(t, serve(t))
	b.is(`(await iot.connect({ endpoint: "`+mosquitto(t, "allow_anonymous true")+`" })).maximumQoS`, `2`)
	b.eval(`globalThis.got = []; await iot.subscribe("to/page", (m) => got.push([m.text(), m.qos]), { qos: 2 });
		globalThis.all = Promise.all(Array.from({ length: 600 }, (_, i) => iot.publish("to/page", String(i), { qos: i % 3 })))`, nil)
	b.until(`got.length === 600`)
	b.is(`(await all).every((r) => r.reasonCode === 0)`, `true`)
	for qos := range 3 {
		b.is(fmt.Sprintf(`got.filter(([, q]) => q === %d).map(([n]) => Number(n)).every((n, i) => n === 3 * i + %d)`, qos, qos), `true`)
	}
	b.is(`(({ inflight, queued, messagesIn, messagesOut }) => [inflight, queued, messagesIn, messagesOut])(iot.stats())`, `[0,0,600,600]`)
}

// A broker that wants a user name and password, and one that wants none of it.
func TestPassword(t *testing.T) {
	b := blank(t, serve(t))
	file := filepath.Join(t.TempDir(), "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", file, "ann", "öpen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.eval(`const endpoint = "`+mosquitto(t, "allow_anonymous false\npassword_file "+file)+`"`, nil)
	b.is(`(await iot.connect({ endpoint, username: "ann", password: "öpen" })).keepAlive`, `120`)
	b.eval(`await iot.disconnect()`, nil)
	b.is(`(await iot.connect({ endpoint, username: "ann", password: new TextEncoder().encode("öpen") })).keepAlive`, `120`)
	b.eval(`await iot.disconnect()`, nil)
	b.fails(`iot.connect({ endpoint, username: "ann", password: "shut" })`, "IotError", "ERR_NOT_AUTHORIZED", "not authorized")
	b.fails(`iot.connect({ endpoint })`, "IotError", "ERR_NOT_AUTHORIZED", "not authorized")
}

// A custom authorizer travels in the query, and nowhere else.
func TestAuthorizer(t *testing.T) {
	b := blank(t, serve(t))
	b.is(`await (async () => { let url; const Real = WebSocket; WebSocket = class extends Real { constructor(u, p) { super(u, p); url = u } };
		const error = await iot.connect({ endpoint: local.endpoint, authorizer: { name: "door", tokenKeyName: "key", token: "se cret", tokenSignature: "a+b/c=" } }).catch((e) => e); WebSocket = Real;
		return [new URL(url).search, error.code, error.message.includes("se cret") || error.message.includes("se%20cret")] })()`,
		`["?x-amz-customauthorizer-name=door&key=se%20cret&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D","ERR_SIGNATURE",false]`)
}

// mosquitto starts the broker of that name, with WebSockets on loopback and what
// else its configuration is to say, and returns its URL.
func mosquitto(t *testing.T, settings string) string {
	t.Helper()
	b, err := broker.Start(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return "ws://" + b.Address + "/mqtt"
}

// intsToBytes reads a JSON array of numbers as bytes.
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
