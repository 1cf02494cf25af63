package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/broker"
)

// The payloads are those of AWS's examples.
func TestPayloads(t *testing.T) {
	var got broker.Publication
	var log bytes.Buffer
	var fail error
	e := New(func(p broker.Publication) error { got = p; return fail }, func() time.Time { return time.UnixMilli(1573002230757) }, slog.New(slog.NewTextHandler(&log, nil)))
	c := broker.ClientInfo{ClientID: "186b5", Principal: "someone", Address: "192.0.2.0", SessionID: "s", Version: 3}
	for topic, test := range map[string]struct {
		event   func()
		payload string
	}{
		"presence/connected/186b5": {func() { e.Connected(c) }, `{"clientId":"186b5","timestamp":1573002230757,"eventType":"connected",` +
			`"sessionIdentifier":"s","principalIdentifier":"someone","ipAddress":"192.0.2.0","versionNumber":3}`},
		"presence/disconnected/186b5": {func() { e.Disconnected(c, "CONNECTION_LOST", false) }, `{"clientId":"186b5","timestamp":1573002230757,"eventType":"disconnected",` +
			`"sessionIdentifier":"s","principalIdentifier":"someone","clientInitiatedDisconnect":false,"disconnectReason":"CONNECTION_LOST","versionNumber":3}`},
		"presence/connect_failed/186b5": {func() { e.ConnectFailed(c) }, `{"clientId":"186b5","timestamp":1573002230757,"eventType":"connect_failed",` +
			`"connectFailureReason":"AUTHORIZATION_FAILED","sessionIdentifier":"s","principalIdentifier":"someone","ipAddress":"192.0.2.0"}`},
		"subscriptions/subscribed/186b5": {func() { e.Subscribed(c, []string{"foo/bar", "<&"}) }, `{"clientId":"186b5","timestamp":1573002230757,"eventType":"subscribed",` +
			`"sessionIdentifier":"s","principalIdentifier":"someone","topics":["foo/bar","<&"]}`},
		"subscriptions/unsubscribed/186b5": {func() { e.Unsubscribed(c, []string{"foo/#"}) }, `{"clientId":"186b5","timestamp":1573002230757,"eventType":"unsubscribed",` +
			`"sessionIdentifier":"s","principalIdentifier":"someone","topics":["foo/#"]}`},
	} {
		test.event()
		if got.Topic != "$aws/events/"+topic || string(got.Payload) != test.payload || got.QoS != 1 || got.Retain {
			t.Errorf("published %s to %s, want %s to %s", got.Payload, got.Topic, test.payload, topic)
		}
	}
	fail = errors.New("broken")
	e.Connected(c)
	if !strings.Contains(log.String(), "broken") {
		t.Errorf("the error is not in the log: %s", &log)
	}
}

// A client whose id contains + or # has no events. A slash adds a level.
func TestClientIDs(t *testing.T) {
	for id, want := range map[string]string{
		"a+b": "", "#": "", "": "",
		"a/b":       "$aws/events/presence/connected/a/b",
		"$GEN/1":    "$aws/events/presence/connected/$GEN/1",
		"ü \"quote": "$aws/events/presence/connected/ü \"quote",
	} {
		var got broker.Publication
		e := New(func(p broker.Publication) error { got = p; return nil }, time.Now, slog.Default())
		e.Connected(broker.ClientInfo{ClientID: id})
		if got.Topic != want {
			t.Errorf("client id %q: topic %q, want %q", id, got.Topic, want)
		}
		if h := (header{}); want != "" && (json.Unmarshal(got.Payload, &h) != nil || h.ClientID != id) {
			t.Errorf("client id %q: payload %s", id, got.Payload)
		}
	}
}
