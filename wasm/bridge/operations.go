package bridge

import (
	"fmt"
	"math"
	"time"

	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// An operation is a call of JavaScript outside the hot path. The type Operations in
// www/iot/abi.js declares the argument of each operation, and a test compares it with
// the members that run reads. The result is JSON, or "" for no result.
type operation struct {
	name string
	run  func(b *Bridge, c *client.Client, now time.Duration, v Value) (result string)
}

// pageOperations are the operations without a client.
var pageOperations = []operation{
	{"new", newClient},
	{"free", free},
	{"presign", presign},
}

// clientOperations are the operations of a client.
var clientOperations = []operation{
	{"connect", connect},
	{"provided", provided},
	{"providerFailed", providerFailed},
	{"opened", opened},
	{"openFailed", openFailed},
	{"closed", closed},
	{"text", text},
	{"probed", probed},
	{"subscribe", subscribe},
	{"unsubscribe", unsubscribe},
	{"cancel", cancel},
	{"disconnect", disconnect},
	{"reconnect", reconnect},
	{"wake", wake},
	{"onmessage", onMessage},
	{"onpacket", onPacket},
	{"stats", stats},
}

// Call runs an operation with the argument v, and returns its result. It does nothing
// if there is no operation of that name. If connect, provided or subscribe cannot read
// v, only that call fails.
func (b *Bridge) Call(name string, id uint32, now float64, v Value) (result string) {
	defer b.recoverPanic()
	b.table.Reset()
	c := b.client(id)
	defer b.completeHeader(c)
	for _, o := range pageOperations {
		if o.name == name {
			return o.run(b, c, duration(now), v)
		}
	}
	for _, o := range clientOperations {
		if o.name == name && c != nil {
			return o.run(b, c, duration(now), v)
		}
	}
	return ""
}

// readArgument calls f, which reads the members of an argument. If f panics,
// readArgument returns an error.
func readArgument(f func()) (err *client.Error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *client.Error:
			err = r
		default:
			err = &client.Error{Class: client.TypeError, Code: "ERR_OPTION", Message: fmt.Sprintf("an argument cannot be read: %v", r)}
		}
	}()
	f()
	return nil
}

// token returns the member token.
func token(v Value) mqtt.Token {
	n, _ := v.Number("token")
	return mqtt.Token(n)
}

// attempt returns the member attempt, the number of an attempt to connect.
func attempt(v Value) uint32 {
	n, _ := v.Number("attempt")
	return uint32(n)
}

// newClient makes a client. The result is the client's id.
func newClient(b *Bridge, _ *client.Client, _ time.Duration, _ Value) string {
	b.lastID++
	b.clients[b.lastID] = client.New((*host)(b), b.rand)
	return fmt.Sprint(b.lastID)
}

// free removes a client, after the garbage collection of its JavaScript object.
func free(b *Bridge, _ *client.Client, _ time.Duration, v Value) string {
	n, _ := v.Number("client")
	delete(b.clients, uint32(n))
	b.current = nil
	return ""
}

// presign signs a URL. The result is an object with the member url, or with the member
// error. The member date is the time of the signature in ms since 1970. The member
// expires is in seconds.
func presign(_ *Bridge, _ *client.Client, _ time.Duration, v Value) string {
	var o abi.Object
	fail := func(code string, err error) string {
		o.Object("error", errorObject(&client.Error{Class: client.TypeError, Code: code, Phase: client.PhaseSign, Message: err.Error()}))
		return string(o.Bytes())
	}
	e, err := sigv4.ParseEndpoint(str(v, "endpoint"), str(v, "region"))
	if err != nil {
		return fail("ERR_ENDPOINT", err)
	}
	if e.Region == "" {
		return fail("ERR_REGION", fmt.Errorf("region is needed: the endpoint's name does not contain it"))
	}
	c := new(sigv4.Credentials)
	if given, ok := v.Object("credentials"); ok {
		c = credentials(given)
	}
	date, _ := v.Number("date")
	url, err := sigv4.Presign(e, *c, time.UnixMilli(int64(date)), integer(v, "expires"))
	if err != nil {
		return fail("ERR_SIGN", err)
	}
	o.Text("url", url.Reveal())
	return string(o.Bytes())
}

// connect starts to connect. Without the member options, it waits for the connection of
// an earlier call, and fails if there is no earlier call.
func connect(b *Bridge, c *client.Client, now time.Duration, v Value) string {
	var o *client.Options
	err := readArgument(func() {
		if given, ok := v.Object("options"); ok {
			o = connectOptions(given)
		}
	})
	if err != nil {
		(*host)(b).Done(token(v), err)
		return ""
	}
	c.Connect(now, token(v), o)
	return ""
}

// provided answers the effect provide, with a URL or with credentials. The member date
// is the time of day in ms since 1970.
func provided(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	var r client.ProviderResult
	err := readArgument(func() {
		if given, ok := v.Object("credentials"); ok {
			r.Credentials = credentials(given)
		}
		r.URL = secret.String(str(v, "url"))
	})
	if err != nil {
		c.ProviderFailed(now, attempt(v), "", err.Message, false)
		return ""
	}
	date, _ := v.Number("date")
	c.Provided(now, attempt(v), r, time.UnixMilli(int64(date)))
	return ""
}

// providerFailed answers the effect provide with the error of the page's provider.
func providerFailed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.ProviderFailed(now, attempt(v), str(v, "code"), str(v, "message"), isTrue(v, "retryable"))
	return ""
}

// opened reports that a socket has opened.
func opened(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Opened(now, attempt(v))
	return ""
}

// openFailed reports that the browser did not create a socket. The member name is the
// name of the error.
func openFailed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.OpenFailed(now, attempt(v), str(v, "name"))
	return ""
}

// closed reports that a socket has closed. The member code is the close code.
func closed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.SocketClosed(now, attempt(v), integer(v, "code"))
	return ""
}

// text reports that a socket has received a text message.
func text(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.TextReceived(now, attempt(v))
	return ""
}

// probed answers the effect probe. The member skew is the Date header of the HTTP
// response minus the time of this machine, in ms. NaN means that the page could not read
// the header.
func probed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	p := client.Probe{
		Status: integer(v, "status"), Code: str(v, "code"), Message: str(v, "message"),
		Offline: isTrue(v, "offline"), Blocked: isTrue(v, "blocked"), Reported: isTrue(v, "reported"),
	}
	if ms, ok := v.Number("skew"); ok && !math.IsNaN(ms) {
		p.Dated, p.Skew = true, duration(ms)
	}
	c.Probed(now, attempt(v), p)
	return ""
}

// subscribe subscribes. The result is the id of the subscription, or 0 if the call has
// failed. If the member connected is true, the call fails on a client that is neither
// connected nor connecting.
func subscribe(b *Bridge, c *client.Client, now time.Duration, v Value) string {
	var o mqtt.Subscription
	var user []mqtt.UserPair
	err := readArgument(func() {
		user = v.Pairs("userProperties")
		qos, _ := v.Number("qos")
		retain, _ := v.Number("retainHandling")
		o = mqtt.Subscription{
			Filter: str(v, "filter"), QoS: toByte(qos), NoLocal: isTrue(v, "noLocal"),
			RetainAsPublished: isTrue(v, "retainAsPublished"), RetainHandling: toByte(retain),
		}
	})
	if err != nil {
		(*host)(b).Done(token(v), err)
		return "0"
	}
	subscribe := c.Subscribe
	if isTrue(v, "connected") {
		subscribe = c.SubscribeNow
	}
	return fmt.Sprint(subscribe(now, token(v), o, user))
}

// unsubscribe ends one subscription, or all subscriptions to a topic filter.
func unsubscribe(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	if id, ok := v.Number("subscription"); ok {
		c.Unsubscribe(now, token(v), uint32(id))
	} else {
		c.UnsubscribeAll(now, token(v), str(v, "filter"))
	}
	return ""
}

// cancel cancels a publish. See [client.Client.Cancel].
func cancel(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Cancel(now, token(v))
	return ""
}

// disconnect closes the client.
func disconnect(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Disconnect(now, token(v))
	return ""
}

// reconnect closes the connection and starts a new attempt.
func reconnect(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Reconnect(now)
	return ""
}

// wake reports that the page or the network has resumed.
func wake(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Wake(now)
	return ""
}

// onMessage reports that the page has a listener for the event "message".
func onMessage(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Listen(now)
	return ""
}

// onPacket reports that the page has a listener for the event "packet".
func onPacket(_ *Bridge, c *client.Client, _ time.Duration, _ Value) string {
	c.TracePackets()
	return ""
}

// stats returns the counters, as the interface Stats of www/iot.d.ts.
func stats(_ *Bridge, c *client.Client, _ time.Duration, _ Value) string {
	s := c.Stats()
	var o abi.Object
	o.Number("messagesIn", float64(s.MessagesIn))
	o.Number("messagesOut", float64(s.MessagesOut))
	o.Number("bytesIn", float64(s.BytesIn))
	o.Number("bytesOut", float64(s.BytesOut))
	o.Number("inflight", float64(s.Inflight))
	o.Number("queued", float64(s.Queued))
	o.Number("subscriptions", float64(s.Subscriptions))
	o.Number("connects", float64(s.Connects))
	if s.RoundTrip > 0 {
		o.Number("roundTripMs", milliseconds(s.RoundTrip))
	}
	return string(o.Bytes())
}
