package broker

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// rules is an Authorizer that refuses what contains the word "secret", and a client id that contains
// "nobody".
type rules struct {
	mu       sync.Mutex
	connects []string
}

func (r *rules) Connect(id string, persistent, will bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connects = append(r.connects, fmt.Sprint(id, " ", persistent, " ", will))
	return !strings.Contains(id, "nobody")
}
func (r *rules) Publish(topic string, retain bool) bool {
	return !strings.Contains(topic, "secret") && !retain
}
func (r *rules) Subscribe(filter string) bool { return !strings.Contains(filter, "secret") }
func (r *rules) Receive(topic string) bool    { return !strings.Contains(topic, "secret") }

func TestAuthorizer(t *testing.T) {
	s := start(t, Options{})
	s.options = ConnOptions{Authorizer: new(rules)}
	c := s.open()
	if ack := c.Connect("nobody", nil); ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X, want 0x87", ack.ReasonCode)
	}
	c.WantClose()
	c = s.open()
	if ack := c.Connect("c", func(p *packets.Connect) { p.WillFlag, p.WillTopic = true, "secret" }); ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X for a will, want 0x87", ack.ReasonCode)
	}
	c, _ = s.connect("c", willConnect(0, 300, false))
	wantGranted(t, c, "secret/#", 0x87)
	wantGranted(t, c, "$share/secret/t", 0)
	wantGranted(t, c, "$share/g/secret", 0x87)
	wantGranted(t, c, "#", 0)
	c.Publish(1, "secret", "")
	if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != 0x87 {
		t.Errorf("PUBACK 0x%02X, want 0x87", ack.ReasonCode)
	}
	s.options = ConnOptions{}
	other, _ := s.connect("other", nil)
	other.Publish(0, "secret", "")
	other.Publish(0, "public", "")
	wantMessage(t, c, "public", "", 0)
	a := s.session("c").conn.authorizer.(*rules)
	if got := strings.Join(a.connects, ", "); got != "nobody false false, c false true, c true true" {
		t.Errorf("Connect was called with %s", got)
	}
	for _, line := range []string{
		"msg=refused client=nobody address=\"\" check=policy reason=135",
		"msg=refused client=c check=policy topic=secret/#",
		"msg=refused client=c check=policy topic=secret\n",
		"msg=subscribe client=c filter=# qos=0",
		"msg=publish client=other topic=public bytes=0 qos=0 retain=false",
	} {
		if !strings.Contains(s.log.String(), line) {
			t.Errorf("the log does not contain %q", line)
		}
	}
}

func TestLogin(t *testing.T) {
	s := start(t, Options{})
	s.options = ConnOptions{Login: func(id, username string, password []byte) (Authorizer, error) {
		if id != "c" || username != "user" || string(password) != "pass" {
			return nil, errors.New("wrong")
		}
		return new(rules), nil
	}}
	connect := func(password string) (*mqtttest.Client, byte) {
		c := s.open()
		return c, c.Connect("c", func(p *packets.Connect) {
			p.UsernameFlag, p.Username, p.PasswordFlag, p.Password = true, "user", true, []byte(password)
		}).ReasonCode
	}
	if _, code := connect("word"); code != 0x87 {
		t.Errorf("CONNACK 0x%02X, want 0x87", code)
	}
	c, code := connect("pass")
	if code != 0 {
		t.Errorf("CONNACK 0x%02X, want 0x00", code)
	}
	wantGranted(t, c, "secret", 0x87)
}

func TestUntilAndRefresh(t *testing.T) {
	o := new(recorder)
	s := start(t, Options{Observer: o})
	s.options = ConnOptions{Until: time.Now().Add(300 * time.Millisecond)}
	c, _ := s.connect("until", nil)
	c.WantDisconnect(0x98)
	o.want(t, "connected until", "disconnected until WEBSOCKET_TTL_EXPIRATION false")
	fresh := true
	s.options = ConnOptions{Refresh: func() bool { return fresh }}
	c, _ = s.connect("refresh", nil)
	c.Ping()
	fresh = false
	c.Send(&packets.Pingreq{})
	c.WantDisconnect(0x87)
	o.want(t, "connected refresh", "disconnected refresh CUSTOMAUTH_TTL_EXPIRATION false")
}

// recorder is an Observer that stores all events.
type recorder struct {
	mu     sync.Mutex
	events []string
	infos  []ClientInfo
}

func (r *recorder) add(c ClientInfo, event string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, strings.TrimSpace(fmt.Sprintln(append([]any{event, c.ClientID}, args...)...)))
	r.infos = append(r.infos, c)
}
func (r *recorder) Connected(c ClientInfo)     { r.add(c, "connected") }
func (r *recorder) ConnectFailed(c ClientInfo) { r.add(c, "connect_failed") }
func (r *recorder) Disconnected(c ClientInfo, reason string, initiated bool) {
	r.add(c, "disconnected", reason, initiated)
}
func (r *recorder) Subscribed(c ClientInfo, filters []string)   { r.add(c, "subscribed", filters) }
func (r *recorder) Unsubscribed(c ClientInfo, filters []string) { r.add(c, "unsubscribed", filters) }

// want waits for events since the last call, in any order.
func (r *recorder) want(t *testing.T, events ...string) (infos []ClientInfo) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		r.mu.Lock()
		if len(r.events) >= len(events) || time.Now().After(deadline) {
			break
		}
		r.mu.Unlock()
	}
	defer r.mu.Unlock()
	got := strings.Join(r.events, "\n")
	for _, e := range events {
		if !strings.Contains("\n"+got+"\n", "\n"+e+"\n") || len(r.events) != len(events) {
			t.Fatalf("events:\n%s\nwant %q", got, events)
		}
	}
	infos, r.events, r.infos = r.infos, nil, nil
	return infos
}

func TestObserver(t *testing.T) {
	o := new(recorder)
	s := start(t, Options{Observer: o})
	s.options = ConnOptions{Principal: "someone", Address: "192.0.2.1"}
	c, _ := s.connect("c", nil)
	first := o.want(t, "connected c")[0]
	if first.Principal != "someone" || first.Address != "192.0.2.1" || len(first.SessionID) != 36 {
		t.Errorf("got %+v", first)
	}
	c.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "a"}, {Topic: "a+"}, {Topic: "b"}}})
	mqtttest.Receive[*packets.Suback](c)
	o.want(t, "subscribed c [a b]")
	c.Send(&packets.Unsubscribe{PacketID: 1, Topics: []string{"none", "b"}})
	mqtttest.Receive[*packets.Unsuback](c)
	o.want(t, "unsubscribed c [b]")
	again, _ := s.connect("c", nil)
	infos := o.want(t, "connected c", "disconnected c DUPLICATE_CLIENTID false")
	if a, b := infos[0], infos[1]; a.SessionID == b.SessionID || a.Version == b.Version {
		t.Errorf("two connections have the events %+v and %+v", a, b)
	}
	leave(again)
	o.want(t, "disconnected c CLIENT_INITIATED_DISCONNECT true")

	for cause, end := range map[string]func(*mqtttest.Client){
		"CONNECTION_LOST": func(c *mqtttest.Client) { c.WS.CloseNow() },
		"CLIENT_ERROR":    func(c *mqtttest.Client) { c.SendBytes([]byte{0xF0, 0}) },
		"AUTH_ERROR":      func(c *mqtttest.Client) { c.Publish(0, "$aws/x", "") },
		"MQTT_KEEP_ALIVE_TIMEOUT": func(*mqtttest.Client) {
			for _, conn := range s.connections() {
				conn.mu.Lock()
				if !conn.closing {
					conn.timer.Reset(0)
				}
				conn.mu.Unlock()
			}
		},
		"API_INITIATED_DISCONNECT": func(*mqtttest.Client) { s.DisconnectClient("c", false, false) },
	} {
		c, _ := s.connect("c", nil)
		o.want(t, "connected c")
		end(c)
		o.want(t, "disconnected c "+cause+" false")
	}
	// A refused CONNECT has no events.
	s.open().Connect("$c", nil)
	s.connect("d", nil)
	o.want(t, "connected d")
}

func TestDisconnectClient(t *testing.T) {
	s := start(t, Options{})
	if found, err := s.DisconnectClient("c", true, false); found || err != nil {
		t.Error("an unknown client was disconnected")
	}
	c, _ := s.connect("c", mqtttest.WithSession(true, 10))
	if found, err := s.DisconnectClient("c", false, false); !found || err != nil {
		t.Error("the client was not disconnected")
	}
	c.WantDisconnect(0x98)
	if found, err := s.DisconnectClient("c", true, false); found || err != nil {
		t.Error("a client that is not connected was disconnected")
	}
	for _, present := range []bool{true, false} {
		c, ack := s.connect("c", mqtttest.WithSession(false, 10))
		if ack.SessionPresent != present {
			t.Errorf("session present %v, want %v", ack.SessionPresent, present)
		}
		s.DisconnectClient("c", true, false)
		c.WantDisconnect(0x98)
	}
}

func TestDisconnectClientWill(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "will/#", 0)
	for _, name := range []string{"dropped", "sent"} {
		c, _ := s.connect(name, func(p *packets.Connect) { p.WillFlag, p.WillTopic, p.WillMessage = true, "will/"+name, []byte("bye") })
		s.DisconnectClient(name, false, name == "dropped")
		c.WantDisconnect(0x98)
	}
	if m := mqtttest.Receive[*packets.Publish](watcher); m.Topic != "will/sent" {
		t.Errorf("received %s, want will/sent only", m.Topic)
	}
}

func TestPublication(t *testing.T) {
	e := &echo{prefix: "$aws"}
	s := start(t, Options{Services: []Service{e}})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "t", 1)
	p := Publication{
		Topic: "t", Payload: []byte("x"), QoS: 1, Retain: true, ContentType: "text/plain", ResponseTopic: "back",
		CorrelationData: []byte{1}, MessageExpiry: 60, PayloadFormat: 1, UserProperties: [][2]string{{"k", "v"}},
	}
	if err := s.Publish(p); err != nil {
		t.Fatal(err)
	}
	m := mqtttest.Receive[*packets.Publish](c)
	q := m.Properties
	if string(m.Payload) != "x" || q.ContentType != "text/plain" || q.ResponseTopic != "back" || !bytes.Equal(q.CorrelationData, []byte{1}) ||
		*q.MessageExpiry != 60 || *q.PayloadFormat != 1 || q.User[0].Key != "k" {
		t.Errorf("received %v", m)
	}
	r, ok := s.Retained("t")
	if !ok || fmt.Sprint(r.Publication) != fmt.Sprint(p) || time.Since(r.LastModified) > time.Minute {
		t.Errorf("retained %+v", r)
	}
	s.Publish(Publication{Topic: "a", Payload: []byte("xy"), Retain: true})
	if list := s.RetainedTopics(); len(list) != 2 || list[0].Topic != "a" || list[0].PayloadSize != 2 || list[1].QoS != 1 {
		t.Errorf("retained topics %v", list)
	}
	s.Publish(Publication{Topic: "a", Retain: true})
	if _, ok := s.Retained("a"); ok {
		t.Error("the retained message was not removed")
	}
	s.Publish(Publication{Topic: "$aws/ask/a"})
	if e.n != 1 {
		t.Errorf("the service handled %d requests, want 1", e.n)
	}
	for _, p := range []Publication{{}, {Topic: "a/+"}, {Topic: "t", QoS: 2}} {
		if s.Publish(p) == nil {
			t.Errorf("no error for %v", p)
		}
	}
}

// reply is a Service that answers to the requester.
type reply struct{}

func (reply) Owns(topic string) (owned, request bool) {
	return strings.HasPrefix(topic, "$aws/"), topic == "$aws/ask"
}
func (reply) Handle(r Request) []Message {
	return []Message{{Topic: "$aws/told", Payload: []byte(r.ClientID), ToRequester: true}, {Topic: "$aws/all", Payload: r.Payload}}
}

// An answer with ToRequester reaches the client of the request and no other, without a subscription, and
// once with subscriptions.
func TestAnswerToRequester(t *testing.T) {
	s := start(t, Options{Services: []Service{reply{}}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/#", 1)
	watcher.Subscribe(2, "$share/g/$aws/told", 1)
	c, _ := s.connect("c", nil)
	ask := func(qos byte) {
		t.Helper()
		c.Publish(0, "$aws/ask", "x")
		wantMessage(t, c, "$aws/told", "c", qos)
		c.Ping()
		wantMessage(t, watcher, "$aws/ask", "x", 0)
		wantMessage(t, watcher, "$aws/all", "x", 1)
	}
	ask(1)
	c.Subscribe(1, "$aws/told", 0)
	c.Subscribe(2, "$share/g/$aws/told", 1)
	ask(0)
	watcher.Ping()
}

// An answer with ToRequester reaches no client if no client has sent the request.
func TestAnswerWithoutRequester(t *testing.T) {
	s := start(t, Options{Services: []Service{reply{}}})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/#", 0)
	if err := s.Publish(Publication{Topic: "$aws/ask", Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, watcher, "$aws/ask", "x", 0)
	wantMessage(t, watcher, "$aws/all", "x", 0)
}
