package broker

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/mqtttest"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/store/storetest"

	"github.com/eclipse/paho.golang/packets"
)

// childStore is the environment variable with the folder of the store of a child process.
const childStore = "BROKER_TEST_STORE"

// TestMain runs the tests, or a broker if the process is the child of TestKill.
func TestMain(m *testing.M) {
	dir := os.Getenv(childStore)
	if dir == "" {
		os.Exit(m.Run())
	}
	db, err := store.Open(dir)
	if err != nil {
		panic(err)
	}
	b, err := New(Options{Store: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if socket, err := Accept(w, r, "mqtt", nil); err == nil {
			b.NewConn(socket, ConnOptions{}).Serve()
		}
	}))
	fmt.Println(h.URL)
	select {}
}

// child starts a broker in a process of its own, with the store in dir. It returns its URL, and a function
// that kills the process.
func child(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childStore+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	t.Cleanup(kill)
	url, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(url), kill
}

// All that the broker has acknowledged survives a SIGKILL.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	url, kill := child(t, dir)
	c := mqtttest.Dial(t, url)
	c.MustConnect("c", mqtttest.WithSession(true, 2))
	c.Subscribe(1, "t/+", 1)
	c.Subscribe(2, "$share/g/s", 1)
	offline := mqtttest.Dial(t, url)
	offline.MustConnect("offline", mqtttest.WithSession(true, 10))
	offline.Subscribe(1, "t/0", 1)
	offline.Subscribe(2, "gone", 1)
	offline.Send(&packets.Unsubscribe{PacketID: 3, Topics: []string{"gone"}})
	mqtttest.Receive[*packets.Unsuback](offline)
	offline.Send(&packets.Disconnect{})
	offline.WantClose()

	p := mqtttest.Dial(t, url)
	p.MustConnect("p", nil)
	for i := range 5 { // two of them are in flight to c
		p.Publish(uint16(i+1), fmt.Sprint("t/", i), fmt.Sprint(i))
		mqtttest.Receive[*packets.Puback](p)
	}
	expiry := uint32(1000)
	for i, kept := range []*packets.Publish{
		{Topic: "kept", Payload: []byte("old")},
		{Topic: "removed", Payload: []byte("x")},
		{Topic: "removed"},
		{Topic: "kept", Payload: []byte("new"), Properties: &packets.Properties{ContentType: "text/plain", MessageExpiry: &expiry, CorrelationData: []byte{0, 1}, User: []packets.User{{Key: "k", Value: "v"}}}},
	} {
		kept.PacketID, kept.QoS, kept.Retain = uint16(i+10), 1, true
		if kept.Properties == nil {
			kept.Properties = &packets.Properties{}
		}
		p.Send(kept)
		mqtttest.Receive[*packets.Puback](p)
	}
	first := mqtttest.Receive[*packets.Publish](c)
	c.Send(&packets.Puback{PacketID: first.PacketID})
	kill()

	url, kill = child(t, dir)
	c = mqtttest.Dial(t, url)
	if ack := c.MustConnect("c", mqtttest.WithSession(false, 10)); !ack.SessionPresent {
		t.Fatal("no session present")
	}
	for i := range 4 {
		m := mqtttest.Receive[*packets.Publish](c)
		if i == 0 && string(m.Payload) == "0" {
			m = mqtttest.Receive[*packets.Publish](c) // the removal of an acknowledged message may be lost
		}
		if string(m.Payload) != fmt.Sprint(i+1) {
			t.Fatalf("received %v, want message %d", m, i+1)
		}
	}
	c.Publish(9, "s", "shared")
	mqtttest.Receive[*packets.Puback](c)
	if m := mqtttest.Receive[*packets.Publish](c); m.Topic != "s" {
		t.Errorf("received %v, want the message of the shared subscription", m)
	}
	c.Subscribe(3, "removed", 1)
	c.Subscribe(4, "kept", 1)
	m := mqtttest.Receive[*packets.Publish](c)
	q := m.Properties
	if string(m.Payload) != "new" || !m.Retain || q.ContentType != "text/plain" || !bytes.Equal(q.CorrelationData, []byte{0, 1}) ||
		q.MessageExpiry == nil || *q.MessageExpiry > 1000 || *q.MessageExpiry < 900 || len(q.User) != 1 {
		t.Errorf("received %v, want the retained message", m)
	}
	offline = mqtttest.Dial(t, url)
	if ack := offline.MustConnect("offline", mqtttest.WithSession(false, 10)); !ack.SessionPresent {
		t.Fatal("no session present")
	}
	c.Publish(1, "gone", "")
	if m := mqtttest.Receive[*packets.Publish](offline); string(m.Payload) != "0" {
		t.Errorf("received %v, want message 0", m)
	}
	offline.Ping()
	kill()
}

// Messages of a shared subscription wait in the store for the first member that connects.
func TestKillWithSharedSubscription(t *testing.T) {
	dir := t.TempDir()
	url, kill := child(t, dir)
	for _, id := range []string{"one", "two"} {
		c := mqtttest.Dial(t, url)
		c.MustConnect(id, mqtttest.WithSession(true, 10))
		c.Subscribe(1, "$share/g/s", 1)
		c.Send(&packets.Disconnect{})
		c.WantClose()
	}
	p := mqtttest.Dial(t, url)
	p.MustConnect("p", nil)
	for i := range 3 {
		p.Publish(uint16(i+1), "s", fmt.Sprint(i))
		mqtttest.Receive[*packets.Puback](p)
	}
	kill()
	url, _ = child(t, dir)
	two := mqtttest.Dial(t, url)
	two.MustConnect("two", mqtttest.WithSession(false, 10))
	for i := range 3 {
		wantMessage(t, two, "s", fmt.Sprint(i), 1)
	}
	one := mqtttest.Dial(t, url)
	one.MustConnect("one", mqtttest.WithSession(false, 10))
	one.Ping()
}

// A session that is not persistent, and a persistent session that a clean start replaces, leave nothing
// in the store. Neither does Forget.
func TestStoreIsCleaned(t *testing.T) {
	db := storetest.Open(t, t.TempDir())
	keys := func() (list []string) {
		t.Helper()
		if err := db.Apply(store.Change{Bucket: "other", Key: "-"}); err != nil { // all earlier changes are then written
			t.Fatal(err)
		}
		for _, bucket := range []string{sessionBucket, queueBucket, retainedBucket} {
			db.Load(bucket, func(key string, _ []byte) error {
				list = append(list, bucket+" "+key)
				return nil
			})
		}
		return list
	}
	s := start(t, Options{Store: db})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "t", 1)
	c.PublishAll(0, "t")
	if got := keys(); len(got) != 0 {
		t.Errorf("stored without a persistent session: %q", got)
	}
	for _, clean := range []bool{true, false} {
		c, _ = s.connect("c", mqtttest.WithSession(clean, 10))
		c.Subscribe(1, "t", 1)
	}
	other, _ := s.connect("other", nil)
	other.PublishAll(2, "t")
	if got := keys(); len(got) != 3 {
		t.Errorf("stored: %q, want a session and two messages", got)
	}
	c, _ = s.connect("c", nil)
	c.Ping()
	if got := keys(); len(got) != 0 {
		t.Errorf("stored after a clean start: %q", got)
	}
	c, _ = s.connect("c", mqtttest.WithSession(true, 10))
	c.Subscribe(1, "t", 1)
	other.Send(&packets.Publish{PacketID: 1, QoS: 1, Topic: "t", Payload: []byte("x"), Retain: true, Properties: &packets.Properties{}})
	mqtttest.Receive[*packets.Puback](other)
	if got := keys(); len(got) != 3 {
		t.Errorf("stored: %q, want a session, a message and a retained message", got)
	}
	if err := s.Forget(); err != nil {
		t.Fatal(err)
	}
	other.PublishAll(3, "t")
	if got := keys(); len(got) != 0 {
		t.Errorf("stored after Forget: %q", got)
	}
}

// DisconnectClient returns after the end of the session is stored.
func TestDisconnectClientIsStored(t *testing.T) {
	db := storetest.Open(t, t.TempDir())
	s := start(t, Options{Store: db})
	defer s.stop()
	for range 20 {
		s.connect("c", mqtttest.WithSession(true, 10))
		if found, err := s.DisconnectClient("c", true, false); !found || err != nil {
			t.Fatal(found, err)
		}
		db.Load(sessionBucket, func(key string, _ []byte) error {
			t.Errorf("the store has the session %s", key)
			return nil
		})
	}
}

// Sessions with the same messages share their memory after a restart too.
func TestLoadedMessagesShareMemory(t *testing.T) {
	dir := t.TempDir()
	db := storetest.Open(t, dir)
	s := start(t, Options{Store: db})
	for _, id := range []string{"a", "b", "c"} {
		c, _ := s.connect(id, mqtttest.WithSession(true, 10))
		c.Subscribe(1, "t", 1)
		leave(c)
		s.waitOffline(id)
	}
	sender, _ := s.connect("sender", nil)
	sender.PublishAll(5, "t")
	leave(sender)
	s.stop()
	db.Close()

	again := start(t, Options{Store: storetest.Open(t, dir)})
	defer again.stop()
	if again.stored != s.stored || s.stored == 0 {
		t.Errorf("the stored messages have %d bytes, before the restart %d", again.stored, s.stored)
	}
	for _, id := range []string{"a", "b", "c"} {
		c, _ := again.connect(id, mqtttest.WithSession(false, 10))
		for i := range 5 {
			wantMessage(t, c, "t", fmt.Sprint(i), 1)
		}
		leave(c)
		again.waitOffline(id)
	}
	if again.stored != 0 {
		t.Errorf("%d bytes are stored after the acknowledgements", again.stored)
	}
}

// A stored message that is damaged is an error and no panic.
func FuzzDecodeDelivery(f *testing.F) {
	b, err := New(Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	g := &group{filter: "$share/g/t"}
	f.Add(b.encodeDelivery(&delivery{message: newMessage("t", []byte("x"), 1, true, nil), qos: 1, group: g}, fromMilliseconds(1)))
	f.Fuzz(func(t *testing.T, v []byte) {
		d, _, modified, err := decodeDelivery(v)
		if err != nil {
			return
		}
		again, _, _, err := decodeDelivery(b.encodeDelivery(d, modified))
		if err != nil || again.message.topic != d.message.topic || !bytes.Equal(again.message.payload, d.message.payload) || again.qos != d.qos {
			t.Errorf("%v, %v; want %v", again, err, d)
		}
	})
}
