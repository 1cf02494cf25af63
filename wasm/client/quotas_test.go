package client

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

func aws(o *Options) { o.Quotas = AWSQuotas }

func TestQuotas(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("x/", n) + "x" }
	for _, c := range []struct {
		topic   string
		payload int
		qos     byte
		retain  bool
		ok      bool
	}{
		{"t", 128 << 10, 1, false, true},
		{"t", 128<<10 + 1, 1, false, false},
		{"t", 0, 2, false, false},
		{strings.Repeat("x", 256), 0, 0, false, true},
		{strings.Repeat("x", 257), 0, 0, false, false},
		{strings.Repeat("ü", 129), 0, 0, false, false},
		{deep(7), 0, 0, false, true},
		{deep(8), 0, 0, false, false},
		{"$aws/rules/" + strings.Repeat("r", 100) + "/" + deep(7), 0, 0, false, true},
		{"$aws/rules/r/" + deep(8), 0, 0, false, false},
		{"$aws/things/t/shadow/update", 0, 1, false, true},
		{"$aws/things/t/shadow/update", 0, 1, true, false},
		{"t", 0, 1, true, true},
	} {
		for _, quotas := range []bool{true, false} {
			w := online(t, func(o *Options) {
				o.Quotas = NoQuotas
				if quotas {
					o.Quotas = AWSQuotas
				}
			})
			w.Publish(w.now, &mqtt.Outgoing{Token: 2, Topic: []byte(c.topic), Payload: make([]byte, c.payload), QoS: c.qos, Retain: c.retain})
			want := ""
			if quotas && !c.ok {
				want = "failed 2 ERR_QUOTA"
			}
			w.expectCalls(want)
		}
	}
}

func TestQuotasOfSubscriptions(t *testing.T) {
	w := online(t, aws)
	for i := range 50 {
		w.sub(mqtt.Token(i+2), fmt.Sprint(i), 1)
	}
	w.expectCalls("")
	w.sub(90, "one more", 1)
	w.sub(91, "7", 1) // a second subscription to the filter
	w.expectCalls("failed 90 ERR_QUOTA")
	w = online(t, aws)
	w.sub(2, "f", 2)
	w.sub(3, "$share/"+strings.Repeat("g", 200)+"/a/b/c/d/e/f/g/h", 1)
	w.sub(4, strings.Repeat("x/", 8)+"#", 1)
	w.expectCalls("failed 2 ERR_QUOTA; failed 4 ERR_QUOTA")
}

func TestQuotasOfOptions(t *testing.T) {
	for name, edit := range map[string]func(*Options){
		"client id":   func(o *Options) { o.ClientID = strings.Repeat("x", 129) },
		"$ client id": func(o *Options) { o.ClientID = "$x" },
		"will topic":  func(o *Options) { o.Will = &mqtt.Will{Topic: strings.Repeat("x/", 9)} },
		"will QoS":    func(o *Options) { o.Will = &mqtt.Will{Topic: "x", QoS: 2} },
	} {
		o := unsigned()
		edit(&o)
		if _, err := o.Check(); err != nil {
			t.Errorf("%s, without quotas: %v", name, err)
		}
		o.Quotas = AWSQuotas
		if _, err := o.Check(); err == nil || err.Code != "ERR_QUOTA" {
			t.Errorf("%s: Check returns %v, want ERR_QUOTA", name, err)
		}
	}
}

// In any second, the client sends at most 100 messages. It exceeds 512 KiB per second by at
// most one message. The other messages wait. Messages of one QoS keep their order.
func TestPace(t *testing.T) {
	for _, size := range []int{1, 20_000} {
		w := online(t, aws)
		const all = 400
		for i := range all {
			w.pub(mqtt.Token(i+2), byte(i%2), "t", fmt.Sprintf("%0*d", size, i))
		}
		type sent struct {
			at    time.Duration
			bytes int
		}
		var log []sent
		last := [2]int{-1, -1}
		for w.engine.Held() > 0 {
			for _, cp := range w.out() {
				p := cp.Content.(*packets.Publish)
				n, err := strconv.Atoi(string(p.Payload))
				if err != nil {
					t.Fatal(err)
				}
				if n <= last[p.QoS] {
					t.Fatalf("QoS %d: message %d follows message %d", p.QoS, n, last[p.QoS])
				}
				last[p.QoS] = n
				log = append(log, sent{w.now, len(p.Payload)})
				if p.QoS == 1 {
					w.fromBroker(packets.PUBACK, &packets.Puback{PacketID: p.PacketID, Properties: &packets.Properties{}})
				}
			}
			if len(log) < all {
				w.tick(w.Deadline() - w.now)
			}
			if w.now > 2*time.Minute {
				t.Fatalf("only %d messages were sent in two minutes", len(log))
			}
		}
		if len(log) != all {
			t.Errorf("%d messages were sent, want %d", len(log), all)
		}
		for i, first := range log {
			messages, bytes := 0, 0
			for _, s := range log[i:] {
				if s.at >= first.at+time.Second {
					break
				}
				messages++
				bytes += s.bytes
			}
			if messages > 100 || bytes > 512<<10+size {
				t.Fatalf("the client sent %d messages and %d bytes in a second", messages, bytes)
			}
		}
	}
}

func TestReceivedMessagesCountForThePace(t *testing.T) {
	w := online(t, aws)
	for range 60 {
		w.fromBroker(packets.PUBLISH, &packets.Publish{Topic: "t", Properties: &packets.Properties{}})
	}
	w.pub(2, 1, "t", "x")
	w.sends("")
	w.tick(w.Deadline() - w.now)
	w.sends("PUBLISH x")
	if w.now < 400*time.Millisecond || w.now > time.Second {
		t.Errorf("the client waited %v, want 400ms to 1s", w.now)
	}
}

func TestOneConnectPerSecond(t *testing.T) {
	w := online(t, aws)
	for range 3 {
		w.log = nil
		w.Reconnect(w.now)
		w.expectCalls("close; disconnected ERR_RECONNECT retry 0s[reconnecting]")
		w.tick(999 * time.Millisecond)
		w.expectCalls("")
		w.tick(time.Millisecond)
		w.expectCalls("connecting[reconnecting]; open")
		w.Opened(w.now, w.attempt)
		w.connack(true)
	}
}

// Without an endpoint, the host name of the URL determines whether the client enforces the
// quotas.
func TestQuotasByURL(t *testing.T) {
	for url, want := range map[string]bool{
		"wss://a-ats.iot.eu-west-1.amazonaws.com/mqtt?X-Amz-Signature=x": true,
		"wss://broker.example/mqtt":                                      false,
	} {
		w := newWorld(t)
		w.sub(2, "a/b/c/d/e/f/g/h/i", 0) // has 8 slashes; the quota is 7
		w.sub(3, "ok", 0)
		o := DefaultOptions()
		o.ClientID, o.Source = "c", FromURL
		w.Connect(0, 1, &o)
		w.log = nil
		w.Provided(0, w.attempt, ProviderResult{URL: secret.String(url)}, time.Unix(0, 0))
		if got := strings.Contains(strings.Join(w.log, ";"), "failed 2 ERR_QUOTA"); got != want {
			t.Errorf("%s: the calls are %q", url, w.log)
		}
		w.Opened(0, w.attempt)
		w.connack(false)
		w.log = nil
		w.pub(4, 1, "t", strings.Repeat("x", quotaPayload+1))
		if got := strings.Join(w.log, ";") == "failed 4 ERR_QUOTA"; got != want {
			t.Errorf("%s: the calls are %q", url, w.log)
		}
		o.Quotas = NoQuotas
		w = newWorld(t)
		w.Connect(0, 1, &o)
		w.Provided(0, w.attempt, ProviderResult{URL: secret.String(url)}, time.Unix(0, 0))
		if w.awsQuotas {
			t.Error("the client enforces quotas despite the option")
		}
		// An invalid client id is an error before the socket opens.
		o.Quotas, o.ClientID = QuotasByName, "$c"
		w = newWorld(t)
		w.Connect(0, 1, &o)
		w.log = nil
		w.Provided(0, w.attempt, ProviderResult{URL: secret.String(url)}, time.Unix(0, 0))
		if got := strings.HasPrefix(strings.Join(w.log, ";"), "failed 1 ERR_QUOTA"); got != want {
			t.Errorf("%s: the calls are %q", url, w.log)
		}
	}
}
