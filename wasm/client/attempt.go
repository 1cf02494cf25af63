package client

import (
	"cmp"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// Connect starts connecting. On a client that is connecting or connected,
// options must be nil: the call then waits for what is under way.
func (c *Client) Connect(now time.Duration, token mqtt.Token, options *Options) {
	c.now = now
	active := c.phase != resting
	switch {
	case active && options != nil:
		c.host.Done(token, failure(PhaseConnect, "ERR_ALREADY_CONNECTED", false,
			"the client is %s with other options; disconnect() first, or make a new IotClient", c.state))
		return
	case !active && options == nil:
		c.host.Done(token, badType("ERR_OPTION", "connect() needs options the first time"))
		return
	case c.phase == serving:
		c.host.ConnectDone(token, c.engine.Granted())
		return
	case active:
		c.connectWaiters = append(c.connectWaiters, token)
		return
	}
	if err := options.Check(); err != nil {
		c.host.Done(token, err)
		return
	}
	c.options = *options
	c.connectWaiters = append(c.connectWaiters, token)
	c.tries, c.failures, c.everConnected = 0, 0, false
	c.clock = skew{}
	e, err := sigv4.ParseEndpoint(options.Endpoint, options.Region) // there is none beside a URL
	c.useQuotas(options.Quotas == AWSQuotas || options.Quotas == QuotasByName && err == nil && e.IsAWS())
	c.begin()
}

// begin starts an attempt, as soon as the broker may be asked again.
func (c *Client) begin() {
	if since := c.now - c.lastConnect; c.awsQuotas && c.attempt > 0 && since < quotaConnects {
		c.wait(backingOff, quotaConnects-since)
		return
	}
	c.lastConnect = c.now
	c.attempt++
	c.closeCode, c.stop, c.url = 0, nil, ""
	c.secrets = nil
	c.secrets.add(c.options.Password.Reveal())
	c.secrets.addQuery(c.options.Authorizer.Reveal())
	c.change(c.trying(), Change{Event: "connecting", Attempt: c.failures + 1})
	if c.options.Source == Unsigned {
		e, _ := sigv4.ParseEndpoint(c.options.Endpoint, c.options.Region)
		if c.options.Authorizer != "" {
			e.Query = strings.TrimPrefix(e.Query+"&"+c.options.Authorizer.Reveal(), "&")
		}
		c.open(secret.String(e.URL()))
		return
	}
	c.wait(resolving, resolveTimeout)
	c.host.Resolve(c.attempt, c.refusedKey)
}

// trying is the state of a client that is not connected and will be.
func (c *Client) trying() State {
	if c.everConnected {
		return Reconnecting
	}
	return Connecting
}

func (c *Client) wait(p phase, d time.Duration) {
	c.phase, c.until = p, c.now+d
}

func (c *Client) change(s State, ev Change) {
	c.state = s
	ev.State = s
	c.host.StateChanged(ev)
}

// A Resolution is the page's answer to Resolve: one of the two.
type Resolution struct {
	Credentials *sigv4.Credentials
	URL         secret.String
}

// Resolved takes the answer to Resolve. wall is the time of day, for the
// signature.
func (c *Client) Resolved(now time.Duration, attempt uint32, r Resolution, wall time.Time) {
	c.now = now
	if c.phase != resolving || attempt != c.attempt {
		return
	}
	wall = wall.Add(c.clock.ahead)
	if c.options.Source == FromURL {
		c.secrets.addURL(r.URL)
		e, err := sigv4.ParseEndpoint(r.URL.Reveal(), "")
		if err != nil {
			c.lose(failure(PhaseCredentials, "ERR_URL", c.options.Fresh, "url is not a ws:// or wss:// URL"))
			return
		}
		if c.options.Quotas == QuotasByName {
			c.useQuotas(e.IsAWS())
		}
		if c.awsQuotas {
			if err := c.options.quotas(); err != nil {
				c.lose(err)
				return
			}
		}
		c.open(r.URL) // as it is: somebody has signed it
		return
	}
	if r.Credentials != nil {
		c.secrets.add(r.Credentials.SecretAccessKey.Reveal(), r.Credentials.SessionToken.Reveal())
	}
	if r.Credentials == nil {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS", c.options.Fresh, "the credentials provider returned no credentials"))
		return
	}
	if err := r.Credentials.Check(); err != nil {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS", c.options.Fresh, "%v", err))
		return
	}
	if exp := r.Credentials.Expiration; !exp.IsZero() && !exp.After(wall) {
		c.lose(failure(PhaseCredentials, "ERR_CREDENTIALS_EXPIRED", c.options.Fresh,
			"the credentials expired at %s; give connect() a function that fetches new ones", exp.UTC().Format(time.RFC3339)))
		return
	}
	e, err := sigv4.ParseEndpoint(c.options.Endpoint, c.options.Region)
	if err == nil {
		var url secret.String
		if url, err = sigv4.Presign(e, *r.Credentials, wall, 0); err == nil {
			c.open(url)
			return
		}
	}
	c.lose(failure(PhaseSign, "ERR_SIGN", false, "%v", err))
}

// Unresolved takes the failure of Resolve. code is the provider's own, and why its
// words, where it has such as may be repeated.
func (c *Client) Unresolved(now time.Duration, attempt uint32, code, why string, retryable bool) {
	c.now = now
	if c.phase == resolving && attempt == c.attempt {
		c.lose(failure(PhaseCredentials, cmp.Or(code, "ERR_CREDENTIALS"), retryable, "the page's provider of credentials or URLs failed: %s",
			cmp.Or(c.secrets.redact(why), "its error is the cause of this one")))
	}
}

func (c *Client) open(url secret.String) {
	c.url, c.urlAt = url, c.now
	c.secrets.addURL(url)
	c.wait(opening, openTimeout)
	c.host.Open(c.attempt, url)
}

// Unopenable: the browser would not even try to open the socket of the attempt.
// why is the name of its error.
func (c *Client) Unopenable(now time.Duration, attempt uint32, why string) {
	c.now = now
	if c.phase == opening && attempt == c.attempt {
		c.lose(failure(PhaseOpen, "ERR_WEBSOCKET", false, "the browser does not open a WebSocket to this address (%s): "+
			"check that the URL is valid; a page that came by https: needs wss:; Node has a WebSocket from version 22 on", c.secrets.redact(why)))
	}
}

// Opened: the socket of the attempt has opened.
func (c *Client) Opened(now time.Duration, attempt uint32) {
	c.now = now
	if c.phase != opening || attempt != c.attempt {
		return
	}
	c.clock.accepted()
	c.window = newWindow(now)
	c.engine.Gate(nil)
	if c.awsQuotas {
		c.pacer = newPacer(now)
		c.engine.Gate(c.pace)
	}
	c.phase = handshake // within the time the socket was given
	o := &c.options
	c.engine.Open(now, mqtt.ConnectOptions{
		ClientID: o.ClientID, Username: o.Username, Password: o.password(),
		KeepAlive: uint16(o.KeepAlive), CleanStart: o.CleanStart && !c.everConnected, SessionExpiry: uint32(o.SessionExpiry),
		ReceiveMaximum: receiveMaximum, MaximumPacketSize: maxPacket, TopicAliasMaximum: topicAliases,
		Will: o.Will, User: o.User, AckTimeout: o.AckTimeout,
	})
}

// SocketClosed: the socket of the attempt has closed, with the WebSocket close
// code that the browser gives.
func (c *Client) SocketClosed(now time.Duration, attempt uint32, code int) {
	c.now = now
	if attempt != c.attempt {
		return
	}
	c.closeCode = code
	switch c.phase {
	case opening:
		c.wait(probing, probeTimeout)
		bare, _, _ := strings.Cut(c.url.Reveal(), "?")
		c.secretProbe = false
		c.host.Probe(attempt, secret.String(bare))
	case handshake:
		e := failure(PhaseConnect, "ERR_NO_CONNACK", true, "the connection was closed before the broker answered CONNECT: "+
			"the client id may not be allowed by the policy, or the broker does not speak MQTT 5")
		e.CloseCode = code
		c.lose(e)
	case serving:
		e := failure(PhaseSession, "ERR_CONNECTION_LOST", true, "the connection was lost (WebSocket close code %d)", code)
		e.CloseCode = code
		c.lose(e)
	}
}

// Text: the server sent a text message, which MQTT does not know
// [MQTT-6.0.0-1].
func (c *Client) Text(now time.Duration, attempt uint32) {
	c.now = now
	if attempt == c.attempt && (c.phase == handshake || c.phase == serving) {
		c.lose(failure(PhaseSession, "ERR_PROTOCOL", true, "the server sent a WebSocket text message; MQTT is binary"))
	}
}

// pace is the engine's gate.
func (c *Client) pace(size int) bool {
	if c.pacer.open() > 0 {
		return false
	}
	c.pacer.spend(1, size)
	return true
}

// refused ends an attempt whose socket did not open.
func (c *Client) refused(p Probe) {
	p.Message = c.secrets.redact(p.Message)
	e := explain(p, c.closeCode, &c.options)
	c.refusedKey = p.Status == 403
	if c.options.Source == FromCredentials && c.now-c.urlAt > 4*time.Minute {
		e.Retryable = true // the machine slept meanwhile: the signature had aged, which says nothing
	}
	if c.options.Source != FromCredentials || p.Status != 403 {
		c.lose(e)
		return
	}
	// The service's clock is the one that counts. Where it can be read, the next
	// signature is made by it.
	ahead, clock := c.clock.refused(p)
	if clock && !c.clock.retried {
		c.clock.retried = true
		c.drop()
		c.change(c.trying(), Change{Event: "disconnected", Err: e, RetryIn: 0})
		c.clock.ahead, c.clock.confirmed = ahead, false
		c.begin()
		return
	}
	c.lose(e)
	c.clock.ahead, c.clock.confirmed = ahead, false
}

// Probed takes the answer to Probe. The URL with its query is asked for only when
// the page's policy has let the address pass without it: a policy that does not
// would report the whole URL, its secrets included, to a server.
func (c *Client) Probed(now time.Duration, attempt uint32, p Probe) {
	c.now = now
	if c.phase != probing || attempt != c.attempt {
		return
	}
	switch secret := strings.Contains(c.url.Reveal(), "?"); {
	case secret && !c.secretProbe:
		// This answer is to a request without signature.
		p.Code, p.Message = "", ""
		if p.Status != 0 && !p.Blocked && !p.Reported {
			c.secretProbe, c.bareProbe = true, p
			c.wait(probing, probeTimeout)
			c.host.Probe(attempt, c.url)
			return
		}
	case secret && p.Status == 0:
		p = c.bareProbe
	}
	c.refused(p)
}
