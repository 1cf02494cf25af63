package broker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// limitedAuthorizer is a Limited and an Explainer that allows connections only.
type limitedAuthorizer struct{ until time.Time }

func (limitedAuthorizer) Connect(string, bool, bool) bool { return true }
func (limitedAuthorizer) Publish(string, bool) bool       { return false }
func (limitedAuthorizer) Subscribe(string) bool           { return false }
func (limitedAuthorizer) Receive(string) bool             { return false }
func (a limitedAuthorizer) Until() time.Time              { return a.until }
func (limitedAuthorizer) Principal() string               { return "visitor" }
func (limitedAuthorizer) Refusal() string                 { return "iot:Publish on a" }

// The Authorizer that Login returns limits the duration of the connection, and explains its refusals.
func TestLimitedAuthorizer(t *testing.T) {
	o := new(recorder)
	s := start(t, Options{Observer: o})
	s.options = ConnOptions{Login: func(_, username string, _ []byte) (Authorizer, error) {
		if username != "guest" {
			return nil, errors.New("unknown user")
		}
		return limitedAuthorizer{time.Now().Add(300 * time.Millisecond)}, nil
	}}
	as := func(name string) func(*packets.Connect) {
		return func(p *packets.Connect) { p.UsernameFlag, p.Username = true, name }
	}
	if ack := s.open().Connect("c", as("other")); ack.ReasonCode != 0x87 {
		t.Errorf("CONNACK 0x%02X, want 0x87", ack.ReasonCode)
	}
	c, _ := s.connect("c", as("guest"))
	c.Publish(1, "a", "")
	if ack := mqtttest.Receive[*packets.Puback](c); ack.ReasonCode != 0x87 {
		t.Errorf("PUBACK 0x%02X, want 0x87", ack.ReasonCode)
	}
	c.WantDisconnect(0x98)
	o.want(t, "connect_failed c", "connected c", "disconnected c CUSTOMAUTH_TTL_EXPIRATION false")
	s.stop()
	for _, text := range []string{`because="unknown user"`, `because="iot:Publish on a"`, "principal=visitor"} {
		if !strings.Contains(s.log.String(), text) {
			t.Errorf("the log does not contain %s: %s", text, s.log.String())
		}
	}
}
