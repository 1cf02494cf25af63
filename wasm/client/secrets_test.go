package client

import (
	"strings"
	"testing"
	"time"

	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// Errors do not contain secrets that servers, brokers or providers quote.
func TestErrorsContainNoSecret(t *testing.T) {
	const token, password, session = `to"ken/+ with blanks`, "pass word!", "session/token+=="
	quote := func(secret string) []string { // the encodings in which a text may contain the secret
		return []string{secret, strings.ReplaceAll(secret, "/", "%2F"), strings.ReplaceAll(secret, " ", "%20"),
			strings.ReplaceAll(secret, " ", "+"), strings.ReplaceAll(secret, `"`, `\"`), strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(secret, "/", "%2f")}
	}
	check := func(t *testing.T, w *world, secrets ...string) {
		t.Helper()
		if w.lastErr == nil {
			t.Fatal("the client reports no error")
		}
		for _, s := range secrets {
			for _, form := range quote(s) {
				if strings.Contains(w.lastErr.Message, form) {
					t.Errorf("the message %[2]q contains %[1]q", form, w.lastErr.Message)
				}
			}
		}
		if !strings.Contains(w.lastErr.Message, "[redacted]") {
			t.Errorf("the message %q does not contain [redacted]", w.lastErr.Message)
		}
	}
	t.Run("an endpoint quotes the authorizer's token", func(t *testing.T) {
		w := newWorld(t)
		o := unsigned()
		o.Authorizer, o.Reconnect = Authorizer("auth", "key", token, "sig/nature=="), false
		w.Connect(0, 1, &o)
		w.loseSocket(1006)
		w.now += 2 * time.Second // longer than connectInterval
		w.probed(Probe{Status: 403, Message: "invalid token " + strings.Join(quote(token), " or ") + " and sig/nature=="})
		check(t, w, token, "sig/nature==")
	})
	t.Run("an endpoint quotes a signed URL", func(t *testing.T) {
		w := newWorld(t)
		o := DefaultOptions()
		o.ClientID, o.Source, o.Reconnect = "c", FromURL, false
		w.Connect(0, 1, &o)
		url := "wss://h.example/mqtt?X-Amz-Date=20260101T000000Z&X-Amz-Signature=0123456789abcdef&X-Amz-Security-Token=a%2Fb%2Bcd"
		w.Provided(0, w.attempt, ProviderResult{URL: secret.String(url)}, time.Unix(0, 0))
		w.loseSocket(1006)
		w.now += 2 * time.Second // longer than connectInterval
		w.probed(Probe{Status: 403, Message: "20260101T000000Z: bad 0123456789abcdef, a/b+cd, " + url})
		check(t, w, "0123456789abcdef", "a/b+cd", "a%2Fb%2Bcd", url)
		if !strings.Contains(w.lastErr.Message, "20260101T000000Z") {
			t.Errorf("the message %q does not contain the date, which is not secret", w.lastErr.Message)
		}
	})
	t.Run("an endpoint quotes the session token", func(t *testing.T) {
		w := signed(t)
		key := sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret/key", SessionToken: session}
		w.Provided(0, w.attempt, ProviderResult{Credentials: &key}, midnight)
		w.loseSocket(1006)
		w.now += 2 * time.Second // longer than connectInterval
		w.probed(Probe{Status: 403, Message: session + " secret/key " + w.url})
		check(t, w, session, "secret/key", w.url)
	})
	t.Run("a broker quotes the password", func(t *testing.T) {
		w := newWorld(t)
		o := unsigned()
		o.Password, o.Reconnect = secret.String(password), false
		w.Connect(0, 1, &o)
		w.Opened(0, w.attempt)
		w.refuse(0x86, "not "+password)
		check(t, w, password)
	})
	t.Run("a broker quotes a short password", func(t *testing.T) {
		w := newWorld(t)
		o := unsigned()
		o.Password, o.Reconnect = "ab", false
		w.Connect(0, 1, &o)
		w.Opened(0, w.attempt)
		w.refuse(0x86, "cabin")
		if strings.Contains(w.lastErr.Message, "cabin") {
			t.Errorf("the message %q contains the broker's text, which contains the password", w.lastErr.Message)
		}
	})
	t.Run("the WebSocket constructor quotes the URL", func(t *testing.T) {
		w := newWorld(t)
		o := unsigned()
		o.Authorizer, o.Reconnect = Authorizer("", "key", token, ""), false
		w.Connect(0, 1, &o)
		w.OpenFailed(0, w.attempt, "the URL "+w.url+" is invalid")
		check(t, w, token, w.url)
	})
	t.Run("a provider quotes the password", func(t *testing.T) {
		w := newWorld(t)
		o := DefaultOptions()
		o.ClientID, o.Source, o.Password, o.Reconnect = "c", FromURL, password, false
		w.Connect(0, 1, &o)
		w.ProviderFailed(0, w.attempt, "ERR_COGNITO_REFUSED", "the response contains "+password, true)
		check(t, w, password)
		w = newWorld(t)
		w.Connect(0, 1, &o)
		// Without a text of the provider, the message refers to the cause.
		w.ProviderFailed(0, w.attempt, "", "", true)
		if !strings.Contains(w.lastErr.Message, "the cause of this error") {
			t.Errorf("the message %q does not refer to the cause", w.lastErr.Message)
		}
	})
}

// redact removes a secret even if a server has escaped only some of its characters.
func TestEscapedSecrets(t *testing.T) {
	var s secrets
	s.add("pass%word<\t\\n&%25")
	for _, text := range []string{
		"pass%word<\t\\n&%25",
		"pass%25word%3C%09%5Cn%26%2525",
		`pass%word\u003c\t\\n\u0026%25`,
		`pass%25word<\u0009\u005Cn&%2525`,
		"p%61ss%25word%3c\t\\n&%25",
	} {
		if got := s.redact("before " + text + " after"); got != "before [redacted] after" {
			t.Errorf("redact changes %q to %q", text, got)
		}
	}
	if got := s.redact("pass%word"); got != "pass%word" {
		t.Errorf("redact changes a part of the secret to %q", got)
	}
}
