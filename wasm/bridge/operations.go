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

// An operation is a rare call of the page. It reads the members of its argument and
// calls the client. Its result is JSON, "" for none. The types of the arguments are
// the type Operations in www/iot/abi.js.
type operation struct {
	name string
	run  func(b *Bridge, c *client.Client, now time.Duration, v Value) (result string)
}

// pageOperations need no client.
var pageOperations = []operation{
	{"new", newClient},
	{"free", free},
	{"presign", presign},
}

// clientOperations are ignored after their client was freed.
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
	{"listen", listen},
	{"stats", stats},
}

// Call runs the operation of that name for the client id, and fills the header for
// the client. Where v cannot be read, only this call fails: its token settles with
// an error.
func (b *Bridge) Call(name string, id uint32, now float64, v Value) (result string) {
	defer b.recovered()
	b.table.Reset()
	c := b.clients[id]
	defer b.end(c)
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

// read calls f, which only reads members. A panic becomes an error of the call.
func read(f func()) (err *client.Error) {
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

func token(v Value) mqtt.Token {
	n, _ := v.Number("token")
	return mqtt.Token(n)
}

func attempt(v Value) uint32 {
	n, _ := v.Number("attempt")
	return uint32(n)
}

// newClient makes a client. Its result is the client's id.
func newClient(b *Bridge, _ *client.Client, _ time.Duration, _ Value) string {
	b.lastID++
	b.clients[b.lastID] = client.New((*host)(b), b.rand)
	return fmt.Sprint(b.lastID)
}

// free forgets a client whose JavaScript object is gone.
func free(b *Bridge, _ *client.Client, _ time.Duration, v Value) string {
	n, _ := v.Number("client")
	delete(b.clients, uint32(n))
	return ""
}

// presign signs a URL. Its result has a member url, or a member error.
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
	url, err := sigv4.Presign(e, *c, time.UnixMilli(int64(date)), number(v, "expires"))
	if err != nil {
		return fail("ERR_SIGN", err)
	}
	o.Text("url", url.Reveal())
	return string(o.Bytes())
}

// connect connects. Without options it waits for the connection that exists or is
// being made.
func connect(b *Bridge, c *client.Client, now time.Duration, v Value) string {
	var o *client.Options
	err := read(func() {
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

// provided answers the effect provide, with a URL or with credentials. now is the
// time of day in ms since 1970.
func provided(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	var r client.ProviderResult
	err := read(func() {
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

// providerFailed answers the effect provide with an error of the provider.
func providerFailed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.ProviderFailed(now, attempt(v), str(v, "code"), str(v, "message"), is(v, "retryable"))
	return ""
}

// opened reports that a socket has opened.
func opened(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Opened(now, attempt(v))
	return ""
}

// openFailed reports that the browser made no socket. name is that of its error.
func openFailed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.OpenFailed(now, attempt(v), str(v, "name"))
	return ""
}

// closed reports that a socket has closed.
func closed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.SocketClosed(now, attempt(v), number(v, "code"))
	return ""
}

// text reports a WebSocket text message.
func text(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.TextReceived(now, attempt(v))
	return ""
}

// probed answers the effect probe. skew is the Date of the answer less the time of
// this machine, in ms.
func probed(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	p := client.Probe{
		Status: number(v, "status"), Code: str(v, "code"), Message: str(v, "message"),
		Offline: is(v, "offline"), Blocked: is(v, "blocked"), Reported: is(v, "reported"),
	}
	if ms, ok := v.Number("skew"); ok && !math.IsNaN(ms) {
		p.Dated, p.Skew = true, duration(ms)
	}
	c.Probed(now, attempt(v), p)
	return ""
}

// subscribe subscribes. Its result is the id of the subscription, 0 if the token has
// settled with an error. With connected, it fails where nothing connects.
func subscribe(b *Bridge, c *client.Client, now time.Duration, v Value) string {
	var o mqtt.Subscription
	var user []mqtt.UserPair
	err := read(func() {
		user = v.Pairs("userProperties")
		qos, _ := v.Number("qos")
		retain, _ := v.Number("retainHandling")
		o = mqtt.Subscription{
			Filter: str(v, "filter"), QoS: small(qos), NoLocal: is(v, "noLocal"),
			RetainAsPublished: is(v, "retainAsPublished"), RetainHandling: small(retain),
		}
	})
	if err != nil {
		(*host)(b).Done(token(v), err)
		return "0"
	}
	start := c.Subscribe
	if is(v, "connected") {
		start = c.SubscribeNow
	}
	return fmt.Sprint(start(now, token(v), o, user))
}

// unsubscribe ends one subscription, or all to a topic filter.
func unsubscribe(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	if id, ok := v.Number("subscription"); ok {
		c.Unsubscribe(now, token(v), uint32(id))
	} else {
		c.UnsubscribeAll(now, token(v), str(v, "filter"))
	}
	return ""
}

// cancel removes a message that has not been sent.
func cancel(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Cancel(now, token(v))
	return ""
}

// disconnect closes the client.
func disconnect(_ *Bridge, c *client.Client, now time.Duration, v Value) string {
	c.Disconnect(now, token(v))
	return ""
}

// reconnect drops the connection and connects again at once.
func reconnect(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Reconnect(now)
	return ""
}

// wake reports that the page has resumed.
func wake(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Wake(now)
	return ""
}

// listen reports that the page has a listener for the event message.
func listen(_ *Bridge, c *client.Client, now time.Duration, _ Value) string {
	c.Listen(now)
	return ""
}

// stats returns the counters, as Stats of www/iot.d.ts.
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
