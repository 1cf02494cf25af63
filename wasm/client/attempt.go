package client

import (
	"cmp"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// Connect starts to connect. On a client that is connecting or connected, options
// must be nil: the call then waits for the connection.
func (c *Client) Connect(now time.Duration, token mqtt.Token, options *Options) {
	c.now = now
	active := c.stage != resting
	switch {
	case active && options != nil:
		c.host.Done(token, failure(PhaseConnect, "ERR_ALREADY_CONNECTED", false,
			"the client is %s with other options; disconnect() first, or make a new IotClient", c.state))
		return
	case !active && options == nil:
		c.host.Done(token, badType("ERR_OPTION", "connect() needs options the first time"))
		return
	case c.stage == serving:
		c.host.ConnectDone(token, c.engine.Granted())
		return
	case active:
		c.connectWaiters = append(c.connectWaiters, token)
		return
	}
	endpoint, err := options.Check()
	if err != nil {
		c.host.Done(token, err)
		return
	}
	c.options, c.endpoint = *options, endpoint
	c.connectWaiters = append(c.connectWaiters, token)
	c.tries, c.failures, c.everConnected = 0, 0, false
	c.skew = skew{}
	c.useQuotas(options.Quotas.apply(endpoint))
	c.begin()
}

// begin starts an attempt, at once or when AWS's quota allows it.
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
		e := c.endpoint
		if c.options.Authorizer != "" {
			e.Query = strings.TrimPrefix(e.Query+"&"+c.options.Authorizer.Reveal(), "&")
		}
		c.open(secret.String(e.URL()))
		return
	}
	c.wait(providing, provideTimeout)
	c.host.Provide(c.attempt, c.refusedKey)
}

// trying returns the state of a client that is about to connect.
func (c *Client) trying() State {
	if c.everConnected {
		return Reconnecting
	}
	return Connecting
}

func (c *Client) wait(s stage, d time.Duration) {
	c.stage, c.until = s, c.now+d
}

func (c *Client) change(s State, ev Change) {
	c.state = s
	ev.State = s
	c.host.StateChanged(ev)
}

// A ProviderResult is the page's answer to [Host.Provide]: credentials or a URL.
type ProviderResult struct {
	Credentials *sigv4.Credentials
	URL         secret.String
}

// Provided takes the answer to [Host.Provide]. wall is the time of day, for the
// signature.
func (c *Client) Provided(now time.Duration, attempt uint32, r ProviderResult, wall time.Time) {
	c.now = now
	if c.stage != providing || attempt != c.attempt {
		return
	}
	wall = wall.Add(c.skew.ahead)
	if c.options.Source == FromURL {
		c.secrets.addURL(r.URL)
		e, err := sigv4.ParseEndpoint(r.URL.Reveal(), "")
		if err != nil {
			c.lose(failure(PhaseCredentials, "ERR_URL", c.options.Fresh, "url is not a ws:// or wss:// URL"))
			return
		}
		c.useQuotas(c.options.Quotas.apply(e))
		if c.awsQuotas {
			if err := c.options.quotas(); err != nil {
				c.lose(err)
				return
			}
		}
		c.open(r.URL)
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
	url, err := sigv4.Presign(c.endpoint, *r.Credentials, wall, 0)
	if err != nil {
		c.lose(failure(PhaseSign, "ERR_SIGN", false, "%v", err))
		return
	}
	c.open(url)
}

// ProviderFailed reports that the page's provider failed. code and why are those of
// the provider's error, where they may be repeated, else "".
func (c *Client) ProviderFailed(now time.Duration, attempt uint32, code, why string, retryable bool) {
	c.now = now
	if c.stage == providing && attempt == c.attempt {
		c.lose(failure(PhaseCredentials, cmp.Or(code, "ERR_CREDENTIALS"), retryable, "the page's provider of credentials or URLs failed: %s",
			cmp.Or(c.secrets.redact(why), "see the cause of this error")))
	}
}

func (c *Client) open(url secret.String) {
	c.url, c.urlAt = url, c.now
	c.secrets.addURL(url)
	c.wait(opening, openTimeout)
	c.host.Open(c.attempt, url)
}

// OpenFailed reports that the browser did not make the socket of the attempt. why is
// the name of its error.
func (c *Client) OpenFailed(now time.Duration, attempt uint32, why string) {
	c.now = now
	if c.stage == opening && attempt == c.attempt {
		c.lose(failure(PhaseOpen, "ERR_WEBSOCKET", false, "the browser does not open a WebSocket to this address (%s): "+
			"check that the URL is valid; a page loaded by https: needs wss:; Node has a WebSocket since version 22", c.secrets.redact(why)))
	}
}

// Opened reports that the socket of the attempt has opened.
func (c *Client) Opened(now time.Duration, attempt uint32) {
	c.now = now
	if c.stage != opening || attempt != c.attempt {
		return
	}
	c.skew.accepted()
	c.window = newWindow(now)
	c.engine.Gate(nil)
	if c.awsQuotas {
		c.pacer = newPacer(now)
		c.engine.Gate(c.pace)
	}
	c.stage = handshake // openTimeout goes on
	o := &c.options
	c.engine.Open(now, mqtt.ConnectOptions{
		ClientID: o.ClientID, Username: o.Username, Password: o.password(),
		KeepAlive: uint16(o.KeepAlive), CleanStart: o.CleanStart && !c.everConnected, SessionExpiry: uint32(o.SessionExpiry),
		ReceiveMaximum: receiveMaximum, MaximumPacketSize: maxPacket, TopicAliasMaximum: topicAliases,
		Will: o.Will, User: o.User, AckTimeout: o.AckTimeout,
	})
}

// SocketClosed reports that the socket of the attempt has closed. code is the
// WebSocket close code of the browser's event.
func (c *Client) SocketClosed(now time.Duration, attempt uint32, code int) {
	c.now = now
	if attempt != c.attempt {
		return
	}
	c.closeCode = code
	switch c.stage {
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

// pace is the gate of the engine: whether a message of that size may be sent now.
func (c *Client) pace(size int) bool {
	if c.pacer.open() > 0 {
		return false
	}
	c.pacer.spend(1, size)
	return true
}

// refused ends an attempt whose socket did not open, for the reason p.
func (c *Client) refused(p Probe) {
	p.Message = c.secrets.redact(p.Message)
	e := explain(p, c.closeCode, &c.options)
	c.refusedKey = p.Status == 403
	if c.options.Source == FromCredentials && c.now-c.urlAt > 4*time.Minute {
		e.Retryable = true // the machine has slept, so that the signature expired
	}
	if c.options.Source != FromCredentials || p.Status != 403 {
		c.lose(e)
		return
	}
	// AWS checks a signature by its own clock. If the page can read it, the next
	// signature uses it.
	ahead, clock := c.skew.refused(p)
	if clock && !c.skew.retried {
		c.skew.retried = true
		c.drop()
		c.change(c.trying(), Change{Event: "disconnected", Err: e, RetryIn: 0})
		c.skew.ahead, c.skew.confirmed = ahead, false
		c.begin()
		return
	}
	c.lose(e)
	c.skew.ahead, c.skew.confirmed = ahead, false
}

// Probed takes the answer to [Host.Probe]. The URL with its query is requested only
// if the page's policy allowed the request without it: a policy that forbids the
// request reports its whole URL, with the secrets, to a server.
func (c *Client) Probed(now time.Duration, attempt uint32, p Probe) {
	c.now = now
	if c.stage != probing || attempt != c.attempt {
		return
	}
	switch secret := strings.Contains(c.url.Reveal(), "?"); {
	case secret && !c.secretProbe:
		// The request had no signature, so its refusal says nothing.
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
