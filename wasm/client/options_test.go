package client

import (
	"strings"
	"testing"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

func TestInvalidOptions(t *testing.T) {
	for name, edit := range map[string]func(*Options){
		"no endpoint":        func(o *Options) { o.Endpoint = "" },
		"bad endpoint":       func(o *Options) { o.Endpoint = "ftp://x" },
		"no region":          func(o *Options) { o.Source = FromCredentials },
		"keep-alive":         func(o *Options) { o.KeepAlive = 65536 },
		"session expiry":     func(o *Options) { o.SessionExpiry = -1 },
		"no client id":       func(o *Options) { o.ClientID = "" },
		"maximum delay":      func(o *Options) { o.MaxDelay = o.MinDelay - 1 },
		"huge delay":         func(o *Options) { o.MaxDelay = 1 << 62 },
		"maximum attempts":   func(o *Options) { o.MaxAttempts = -1 },
		"queued bytes":       func(o *Options) { o.OfflineBytes = -1 },
		"will topic":         func(o *Options) { o.Will = &mqtt.Will{Topic: "a/#"} },
		"will QoS":           func(o *Options) { o.Will = &mqtt.Will{Topic: "a", QoS: 3} },
		"will payload":       func(o *Options) { o.Will = &mqtt.Will{Topic: "a", Payload: make([]byte, 65536)} },
		"password":           func(o *Options) { o.Password = secret.String(strings.Repeat("x", 65536)) },
		"user property":      func(o *Options) { o.User = []mqtt.UserPair{{Name: strings.Repeat("x", 65536)}} },
		"stable after":       func(o *Options) { o.StableAfter = -1 },
		"endpoint with user": func(o *Options) { o.Endpoint = "wss://u:p@example.org/" },
	} {
		o := unsigned()
		edit(&o)
		if _, err := o.Check(); err == nil || err.Class == IotError || err.Code == "" {
			t.Errorf("%s: Check returns %v", name, err)
		}
	}
	o := unsigned()
	if _, err := o.Check(); err != nil {
		t.Error(err)
	}
}
