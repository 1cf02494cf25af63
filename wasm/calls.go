//go:build js && wasm

package main

import (
	"fmt"
	"math"
	"syscall/js"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// call is what JavaScript calls for all that is rare: an operation's name, the
// client, the time, and what the operation takes. What it returns is the
// operation's own; the header is filled for the client.
func call(_ js.Value, args []js.Value) (result any) {
	op, id, now := args[0].String(), uint32(args[1].Int()), clock(args[2].Float())
	c := clients[id]
	defer caught()
	begin()
	defer end(c)
	args = args[3:]
	switch op {
	case "new":
		return newClient()
	case "rest": // it is enough to be called: finalizers run
		return nil
	case "free":
		delete(clients, uint32(args[0].Int()))
		return nil
	case "presign":
		return presign(args[0])
	}
	if c == nil {
		return nil
	}
	switch op {
	case "connect":
		var o *client.Options
		err := converted(func() {
			if !args[1].IsNull() {
				o = connectOptions(args[1])
			}
		})
		if err != nil {
			host{}.Done(token(args[0]), err)
		} else {
			c.Connect(now, token(args[0]), o)
		}
	case "resolved":
		var r client.Resolution
		err := converted(func() {
			if u := args[1].Get("url"); !u.IsUndefined() {
				r.URL = secret.String(u.String())
			} else {
				r.Credentials = credentials(args[1])
			}
		})
		if err != nil {
			c.Unresolved(now, attempt(args[0]), "", err.Message, false)
		} else {
			c.Resolved(now, attempt(args[0]), r, time.UnixMilli(int64(args[2].Float())))
		}
	case "unresolved":
		c.Unresolved(now, attempt(args[0]), args[1].String(), args[2].String(), args[3].Bool())
	case "opened":
		c.Opened(now, attempt(args[0]))
	case "unopenable":
		c.Unopenable(now, attempt(args[0]), args[1].String())
	case "closed":
		c.SocketClosed(now, attempt(args[0]), args[1].Int())
	case "text":
		c.Text(now, attempt(args[0]))
	case "probed":
		p := client.Probe{
			Status: args[1].Int(), Code: args[2].String(), Message: args[3].String(),
			Offline: args[4].Bool(), Blocked: args[5].Bool(), Reported: args[6].Bool(),
		}
		if skew := args[7].Float(); !math.IsNaN(skew) {
			p.Dated, p.Skew = true, clock(skew)
		}
		c.Probed(now, attempt(args[0]), p)
	case "subscribe", "subscribeNow":
		var o mqtt.Subscription
		var user []mqtt.UserPair
		err := converted(func() {
			v := args[2]
			user = userPairs(v.Get("userProperties"))
			o = mqtt.Subscription{
				Filter: args[1].String(), QoS: byte(v.Get("qos").Int()), NoLocal: v.Get("noLocal").Truthy(),
				RetainAsPublished: v.Get("retainAsPublished").Truthy(), RetainHandling: byte(v.Get("retainHandling").Int()),
			}
		})
		if err != nil {
			host{}.Done(token(args[0]), err)
			return 0
		}
		if op == "subscribeNow" {
			return c.SubscribeNow(now, token(args[0]), o, user)
		}
		return c.Subscribe(now, token(args[0]), o, user)
	case "unsubscribe":
		c.Unsubscribe(now, token(args[0]), uint32(args[1].Int()), args[2].Bool())
	case "cancel":
		c.Cancel(now, token(args[0]))
	case "disconnect":
		c.Disconnect(now, token(args[0]))
	case "reconnect":
		c.Reconnect(now)
	case "wake":
		c.Wake(now)
	case "listen":
		c.Listen(now)
	case "stats":
		s, inflight, queued, subscriptions := c.Stats()
		o := object("messagesIn", float64(s.MessagesIn), "messagesOut", float64(s.MessagesOut),
			"bytesIn", float64(s.BytesIn), "bytesOut", float64(s.BytesOut), "connects", float64(s.Connects),
			"inflight", inflight, "queued", queued, "subscriptions", subscriptions)
		if s.RoundTrip > 0 {
			o.Set("roundTripMs", float64(s.RoundTrip)/float64(time.Millisecond))
		}
		return o
	}
	return nil
}

// converted reads what the page has given. What cannot be read is an error of the
// one call: no client has been touched yet.
func converted(read func()) (err *client.Error) {
	defer func() {
		if r := recover(); r != nil {
			err = &client.Error{Class: client.TypeError, Code: "ERR_OPTION", Message: fmt.Sprintf("an argument cannot be read: %v", r)}
		}
	}()
	read()
	return nil
}

// panicked notes that the module is not to be trusted any more.
func panicked(r any) {
	header.crashed = 1
	bridge.Set("crash", fmt.Sprint(r))
}

func token(v js.Value) mqtt.Token { return mqtt.Token(v.Float()) }

func attempt(v js.Value) uint32 { return uint32(v.Float()) }

func presign(o js.Value) any {
	fail := func(code string, err error) any {
		return object("error", errorObject(&client.Error{Class: client.TypeError, Code: code, Phase: client.PhaseSign, Message: err.Error()}))
	}
	e, err := sigv4.ParseEndpoint(text(o, "endpoint"), text(o, "region"))
	if err != nil {
		return fail("ERR_ENDPOINT", err)
	}
	if e.Region == "" {
		return fail("ERR_REGION", fmt.Errorf("region is needed: the endpoint's name does not tell it"))
	}
	var c sigv4.Credentials
	if v := o.Get("credentials"); v.Type() == js.TypeObject {
		c = *credentials(v)
	}
	expires := 0
	integer(o, "expires", func(n float64) { expires = int(n) })
	url, err := sigv4.Presign(e, c, time.UnixMilli(int64(o.Get("date").Float())), expires)
	if err != nil {
		return fail("ERR_SIGN", err)
	}
	return object("url", url.Reveal())
}

// The loader has copied every options object, so that what is read here are
// plain values of the types that it has checked.

func credentials(o js.Value) *sigv4.Credentials {
	c := &sigv4.Credentials{
		AccessKeyID:     text(o, "accessKeyId"),
		SecretAccessKey: secret.String(text(o, "secretAccessKey")),
		SessionToken:    secret.String(text(o, "sessionToken")),
	}
	if v := o.Get("expiration"); v.Type() == js.TypeNumber {
		c.Expiration = time.UnixMilli(int64(v.Float()))
	}
	return c
}

func connectOptions(v js.Value) *client.Options {
	o := client.DefaultOptions()
	o.Endpoint, o.Region = text(v, "endpoint"), text(v, "region")
	switch text(v, "source") {
	case "credentials":
		o.Source = client.FromCredentials
	case "url":
		o.Source = client.FromURL
	}
	o.Fresh = v.Get("fresh").Truthy()
	o.ClientID = text(v, "clientId")
	switch text(v, "quotas") {
	case "aws":
		o.Quotas = client.AWSQuotas
	case "none":
		o.Quotas = client.NoQuotas
	}
	if a := v.Get("authorizer"); a.Type() == js.TypeObject {
		o.Authorizer = client.Authorizer(text(a, "name"), text(a, "tokenKeyName"), text(a, "token"), text(a, "tokenSignature"))
	}
	if u := v.Get("username"); !u.IsUndefined() {
		o.Username = new(u.String())
	}
	o.Password = secret.String(data(v.Get("password")))
	integer(v, "keepAlive", func(n float64) { o.KeepAlive = int(n) })
	integer(v, "sessionExpiry", func(n float64) { o.SessionExpiry = int64(n) })
	if b := v.Get("cleanStart"); !b.IsUndefined() {
		o.CleanStart = b.Bool()
	}
	millis(v, "ackTimeoutMs", &o.AckTimeout)
	millis(v, "unclaimedTimeoutMs", &o.UnclaimedTimeout)
	o.User = userPairs(v.Get("userProperties"))
	if w := v.Get("will"); !w.IsUndefined() {
		o.Will = &mqtt.Will{
			Topic: text(w, "topic"), Payload: data(w.Get("payload")), ContentType: text(w, "contentType"),
			Retain: w.Get("retain").Truthy(), User: userPairs(w.Get("userProperties")), Delay: 5,
		}
		integer(w, "qos", func(n float64) { o.Will.QoS = byte(n) })
		integer(w, "delay", func(n float64) { o.Will.Delay = uint32(n) })
	}
	switch r := v.Get("reconnect"); r.Type() {
	case js.TypeBoolean:
		o.Reconnect = r.Bool()
	case js.TypeObject:
		millis(r, "minDelayMs", &o.MinDelay)
		millis(r, "maxDelayMs", &o.MaxDelay)
		millis(r, "stableAfterMs", &o.StableAfter)
		integer(r, "maxAttempts", func(n float64) { o.MaxAttempts = int(n) })
	}
	if f := v.Get("offline"); f.Type() == js.TypeObject {
		integer(f, "maxMessages", func(n float64) { o.OfflineMessages = int(n) })
		integer(f, "maxBytes", func(n float64) { o.OfflineBytes = int(n) })
		o.OfflineDropOldest = text(f, "overflow") == "drop-oldest"
		switch text(f, "qos0") {
		case "queue":
			o.OfflineQoS0 = client.QueueQoS0
		case "drop":
			o.OfflineQoS0 = client.DropQoS0
		}
	}
	return &o
}

func text(o js.Value, name string) string {
	if v := o.Get(name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// integer calls set with the number of that name, if there is one.
func integer(o js.Value, name string, set func(float64)) {
	if v := o.Get(name); v.Type() == js.TypeNumber {
		set(v.Float())
	}
}

// millis sets d to the number of milliseconds of that name, if there is one.
func millis(o js.Value, name string, d *time.Duration) {
	integer(o, name, func(n float64) { *d = clock(min(n, math.MaxInt32*1000)) })
}

func data(v js.Value) []byte {
	if v.Type() != js.TypeObject {
		return nil
	}
	b := make([]byte, v.Get("byteLength").Int())
	js.CopyBytesToGo(b, v)
	return b
}

func userPairs(v js.Value) (list []mqtt.UserPair) {
	if v.Type() != js.TypeObject {
		return nil
	}
	for i := range v.Length() {
		p := v.Index(i)
		list = append(list, mqtt.UserPair{Name: p.Index(0).String(), Value: p.Index(1).String()})
	}
	return list
}
