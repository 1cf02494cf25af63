package client

import (
	"strings"
	"testing"
	"time"

	"iot.wasm/wasm/sigv4"
)

func TestEveryAttemptIsSigned(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh = "a-ats.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true
	w.Connect(0, 1, &o)
	w.expectCalls("connecting[connecting]; provide")
	wall := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, wall)
	w.expectCalls("open")
	for _, part := range []string{"wss://a-ats.iot.eu-west-1.amazonaws.com/mqtt?", "X-Amz-Date=20260102T030405Z", "%2Feu-west-1%2Fiotdevicegateway%2F", "&X-Amz-Security-Token=to%2Fken%2B"} {
		if !strings.Contains(w.url, part) {
			t.Errorf("the URL does not contain %s: %s", part, w.url)
		}
	}
	w.Opened(0, w.attempt)
	w.connack(false)
	w.loseSocket(1006)
	w.expectCalls("connected[connected]; connected 1; close; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]")
	w.tick(time.Second)
	w.expectCalls("connecting[reconnecting]; provide")
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &goodKey}, wall.Add(time.Hour))
	if !strings.Contains(w.url, "X-Amz-Date=20260102T040405Z") {
		t.Error("the date of the second signature is not the date of the second attempt")
	}
}

func TestInvalidCredentials(t *testing.T) {
	past := goodKey
	past.Expiration = time.Unix(50, 0)
	for _, c := range []struct {
		name  string
		r     ProviderResult
		fresh bool
		want  string
	}{
		{"no credentials", ProviderResult{}, true, "disconnected ERR_CREDENTIALS retry 1s[connecting]"},
		{"no access key", ProviderResult{Credentials: &sigv4.Credentials{SecretAccessKey: "x"}}, true, "disconnected ERR_CREDENTIALS retry 1s[connecting]"},
		{"constant, without a secret key", ProviderResult{Credentials: &sigv4.Credentials{AccessKeyID: "x"}}, false,
			"failed 1 ERR_CREDENTIALS; disconnected ERR_CREDENTIALS[closed]; closed ERR_CREDENTIALS[closed]"},
		{"constant, expired", ProviderResult{Credentials: &past}, false,
			"failed 1 ERR_CREDENTIALS_EXPIRED; disconnected ERR_CREDENTIALS_EXPIRED[closed]; closed ERR_CREDENTIALS_EXPIRED[closed]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			o := DefaultOptions()
			o.Endpoint, o.ClientID, o.Source, o.Fresh = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials, c.fresh
			w.Connect(0, 1, &o)
			w.log = nil
			w.Provided(0, w.attempt, c.r, time.Unix(100, 0))
			w.expectCalls(c.want)
		})
	}
}

func TestProviderErrors(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.Endpoint, o.ClientID, o.Source, o.Fresh = "a.iot.eu-west-1.amazonaws.com", "c", FromCredentials, true
	w.Connect(0, 1, &o)
	old := w.attempt
	w.log = nil
	w.tick(provideTimeout)
	w.expectCalls("disconnected ERR_CREDENTIALS_TIMEOUT retry 1s[connecting]")
	w.Provided(w.now, old, ProviderResult{Credentials: &goodKey}, time.Unix(0, 0))
	w.expectCalls("") // the client ignores the answer, because its attempt has ended
	w.tick(time.Second)
	w.Provided(w.now, old, ProviderResult{Credentials: &goodKey}, time.Unix(0, 0))
	w.expectCalls("connecting[connecting]; provide")
	w.ProviderFailed(w.now, w.attempt, "", "unavailable", false)
	w.expectCalls("failed 1 ERR_CREDENTIALS; disconnected ERR_CREDENTIALS[closed]; closed ERR_CREDENTIALS[closed]")
}

func TestURLProvider(t *testing.T) {
	w := newWorld(t)
	o := DefaultOptions()
	o.ClientID, o.Source, o.Fresh = "c", FromURL, true
	w.Connect(0, 1, &o)
	w.Provided(0, w.attempt, ProviderResult{URL: "wss://Example.org/mqtt?X-Amz-Signature=abc%2B"}, time.Time{})
	if w.url != "wss://Example.org/mqtt?X-Amz-Signature=abc%2B" {
		t.Errorf("the client opens %s, want the URL of the provider", w.url)
	}
	w = newWorld(t)
	w.Connect(0, 1, &o)
	w.log = nil
	w.Provided(0, w.attempt, ProviderResult{URL: "ftp://x"}, time.Time{})
	w.expectCalls("disconnected ERR_URL retry 1s[connecting]")
}

func TestConnectTimeouts(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.tick(openTimeout)
	w.expectCalls("connecting[connecting]; open; close; disconnected ERR_OPEN_TIMEOUT retry 1s[connecting]")
	w.tick(time.Second)
	w.Opened(w.now, w.attempt)
	w.log = nil
	w.tick(openTimeout)
	w.expectCalls("close; disconnected ERR_CONNACK_TIMEOUT retry 1s[connecting]")
}

func TestCallsWithoutConnection(t *testing.T) {
	w := newWorld(t)
	w.pub(2, 1, "t", "a")
	w.sub(3, "f", 0)
	w.Disconnect(0, 4)
	w.Connect(0, 5, nil)
	w.expectCalls("failed 2 ERR_NOT_CONNECTED; failed 3 ERR_CLOSED; done 4; failed 5 ERR_OPTION")
}

func TestConnectTwice(t *testing.T) {
	w := newWorld(t)
	o := unsigned()
	w.Connect(0, 1, &o)
	w.Connect(0, 2, nil)
	w.Connect(0, 3, &o)
	w.Opened(0, w.attempt)
	w.connack(false)
	w.Connect(0, 4, nil)
	w.expectCalls("connecting[connecting]; open; failed 3 ERR_ALREADY_CONNECTED; connected[connected]; connected 1; connected 2; connected 4")
}

func TestProvideAfterARefusal(t *testing.T) {
	w := signed(t)
	w.Provided(0, w.attempt, ProviderResult{Credentials: &goodKey}, midnight)
	w.loseSocket(1006)
	w.tick(time.Second)
	w.probed(Probe{Status: 403, Code: "ExpiredTokenException"})
	w.log = nil
	w.tick(w.Deadline() - w.now)
	w.expectCalls("connecting[connecting]; provide refused")
	w.Provided(w.now, w.attempt, ProviderResult{Credentials: &sigv4.Credentials{AccessKeyID: "NEW", SecretAccessKey: "s"}}, midnight)
	w.Opened(w.now, w.attempt)
	w.connack(false)
	w.loseSocket(1006)
	w.log = nil
	w.tick(w.Deadline() - w.now)
	w.expectCalls("connecting[reconnecting]; provide")
}
