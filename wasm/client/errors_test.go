package client

import (
	"fmt"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

func TestProbeResults(t *testing.T) {
	for _, c := range []struct {
		probe Probe
		want  string
		final bool
	}{
		{Probe{Status: 403, Code: "InvalidSignatureException"}, "ERR_SIGNATURE", true},
		{Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature not yet current: later"}, "ERR_CLOCK_SKEW", true},
		{Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: earlier"}, "ERR_SIGNATURE_EXPIRED", true},
		{Probe{Status: 403, Code: "UnrecognizedClientException"}, "ERR_ACCESS_KEY", true},
		{Probe{Status: 403, Code: "ExpiredTokenException"}, "ERR_CREDENTIALS_EXPIRED", true},
		{Probe{Status: 403}, "ERR_FORBIDDEN", true},
		{Probe{Status: 404}, "ERR_UPGRADE", false},
		{Probe{Offline: true}, "ERR_OFFLINE", false},
		{Probe{Blocked: true}, "ERR_CSP", true},
		{Probe{}, "ERR_UNREACHABLE", false},
	} {
		w := newWorld(t)
		o := unsigned()
		w.Connect(0, 1, &o)
		w.loseSocket(1006)
		w.expectCalls("connecting[connecting]; open; probe")
		w.probed(c.probe)
		want := fmt.Sprintf("disconnected %s retry 1s[connecting]", c.want)
		if c.final {
			want = fmt.Sprintf("failed 1 %s; disconnected %s[closed]; closed %s[closed]", c.want, c.want, c.want)
		}
		w.expectCalls(want)
	}
}

// The client probes after each refusal, because two refusals may have different reasons.
func TestEveryRefusalIsProbed(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.loseSocket(1006)
	w.tick(probeTimeout)
	w.expectCalls("connecting[connecting]; open; probe; disconnected ERR_UNREACHABLE retry 1s[connecting]")
	w.tick(time.Second)
	w.loseSocket(1006)
	w.probed(Probe{Status: 403, Code: "ExpiredTokenException"})
	w.expectCalls("connecting[connecting]; open; probe; failed 1 ERR_CREDENTIALS_EXPIRED; disconnected ERR_CREDENTIALS_EXPIRED[closed]; closed ERR_CREDENTIALS_EXPIRED[closed]")
}

// If the machine sleeps after the client has signed the URL, the signature expires before
// the server receives the URL. Then the client tries again.
func TestSignatureExpiresDuringSleep(t *testing.T) {
	for _, slept := range []bool{false, true} {
		w := newWorld(t)
		o := DefaultOptions()
		o.Endpoint, o.ClientID, o.Source = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials
		w.Connect(0, 1, &o)
		w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, time.Unix(0, 0))
		if slept {
			w.now += 10 * time.Minute
		}
		w.loseSocket(1006)
		w.log = nil
		w.probed(Probe{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: x"})
		if slept {
			w.expectCalls("disconnected ERR_CLOCK_SKEW retry 1s[connecting]")
		} else {
			w.expectCalls("failed 1 ERR_CLOCK_SKEW; disconnected ERR_CLOCK_SKEW[closed]; closed ERR_CLOCK_SKEW[closed]")
		}
	}
}

func TestConnackReasons(t *testing.T) {
	for reason, code := range map[byte]string{0x84: "ERR_PROTOCOL_VERSION", 0x85: "ERR_CLIENT_ID", 0x86: "ERR_BAD_PASSWORD", 0x87: "ERR_NOT_AUTHORIZED", 0x8c: "ERR_REFUSED"} {
		w := newWorld(t)
		o := unsigned()
		w.Connect(0, 1, &o)
		w.Opened(0, w.attempt)
		w.log = nil
		w.fromBroker(packets.CONNACK, &packets.Connack{ReasonCode: reason, Properties: &packets.Properties{}})
		w.expectCalls(fmt.Sprintf("close; failed 1 %s; disconnected %s[closed]; closed %s[closed]", code, code, code))
	}
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Opened(0, w.attempt)
	w.log = nil
	w.fromBroker(packets.CONNACK, &packets.Connack{ReasonCode: 0x89, Properties: &packets.Properties{}})
	w.expectCalls("close; disconnected ERR_REFUSED retry 1s[connecting]")
}

// The client first requests the URL without the query. It requests the URL with the query
// only if the page's policies allow the address.
func TestForbiddenProbeSendsNoSecret(t *testing.T) {
	for _, c := range []struct {
		name  string
		first Probe
		count int // of requests
		code  string
	}{
		{"allowed", Probe{Status: 403}, 2, "ERR_ACCESS_KEY"},
		{"forbidden", Probe{Reported: true}, 1, "ERR_UNREACHABLE"},
		{"report-only policy", Probe{Status: 403, Reported: true}, 1, "ERR_FORBIDDEN"},
		{"the WebSocket is forbidden", Probe{Blocked: true}, 1, "ERR_CSP"},
		{"unreachable", Probe{}, 1, "ERR_UNREACHABLE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			o := DefaultOptions()
			o.ClientID, o.Source, o.Reconnect = "c", FromURL, false
			w.Connect(0, 1, &o)
			const url = "wss://h.example/mqtt?X-Amz-Signature=0123abcd"
			w.Provided(0, w.attempt, ProviderResult{URL: url}, time.Unix(0, 0))
			w.loseSocket(1006)
			if w.probes[0] != "wss://h.example/mqtt" {
				t.Fatalf("the first request is for %s", w.probes[0])
			}
			w.log = nil
			w.Probed(w.now, w.attempt, c.first)
			if len(w.probes) == 2 {
				if w.probes[1] != url {
					t.Errorf("the second request is for %s", w.probes[1])
				}
				w.Probed(w.now, w.attempt, Probe{Status: 403, Code: "UnrecognizedClientException"})
			}
			if len(w.probes) != c.count {
				t.Errorf("the client sends %d requests, want %d", len(w.probes), c.count)
			}
			w.expectCalls("failed 1 " + c.code + "; disconnected " + c.code + "[closed]; closed " + c.code + "[closed]")
		})
	}
}
