package client

import (
	"cmp"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// Connect starts to connect. If the client is already connecting or connected, options
// must be nil, and the promise resolves as soon as the client is connected.
func (c *Client) Connect(now time.Duration, token mqtt.Token, options *Options) {
	c.now = now
	active := c.stage != inactive
	switch {
	case active && options != nil:
		c.host.Done(token, failure(PhaseConnect, "ERR_ALREADY_CONNECTED", false,
			"the client is %s with other options; disconnect() first, or make a new IotClient", c.state))
		return
	case !active && options == nil:
		c.host.Done(token, badType("ERR_OPTION", "connect() needs options the first time"))
		return
	case c.stage == connected:
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

// begin starts an attempt, or waits for the time at which AWS's quota allows one.
func (c *Client) begin() {
	if since := c.now - c.lastConnect; c.awsQuotas && c.attempt > 0 && since < connectInterval {
		c.wait(backingOff, connectInterval-since)
		return
	}
	c.lastConnect = c.now
	c.attempt++
	c.closeCode, c.stopErr, c.url = 0, nil, ""
	c.secrets = nil
	c.secrets.add(c.options.Password.Reveal())
	c.secrets.addQuery(c.options.Authorizer.Reveal())
	c.change(c.attemptState(), Change{Event: "connecting", Attempt: c.failures + 1})
	if c.options.Source == Unsigned {
		e := c.endpoint
		if c.options.Authorizer != "" {
			e.Query = strings.TrimPrefix(e.Query+"&"+c.options.Authorizer.Reveal(), "&")
		}
		c.open(secret.String(e.URL()))
		return
	}
	c.wait(providing, provideTimeout)
	c.host.Provide(c.attempt, c.credentialsRefused)
}

// attemptState returns the state of a client that has no connection and tries again.
func (c *Client) attemptState() State {
	if c.everConnected {
		return Reconnecting
	}
	return Connecting
}

// wait enters the stage s, which ends after d.
func (c *Client) wait(s stage, d time.Duration) {
	c.stage, c.stageEnd = s, c.now+d
}

// change sets the state, and reports the event to the page.
func (c *Client) change(s State, ev Change) {
	c.state = s
	ev.State = s
	c.host.StateChanged(ev)
}

// A ProviderResult is the page's answer to [Host.Provide]: credentials with
// FromCredentials, a URL with FromURL.
type ProviderResult struct {
	Credentials *sigv4.Credentials
	URL         secret.String
}

// Provided reports the answer to [Host.Provide]. wall is the time of day, which the
// signature contains.
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

// ProviderFailed reports that the page's provider failed. code and message are those of
// its error. They are "" if the error may contain secrets.
func (c *Client) ProviderFailed(now time.Duration, attempt uint32, code, message string, retryable bool) {
	c.now = now
	if c.stage == providing && attempt == c.attempt {
		c.lose(failure(PhaseCredentials, cmp.Or(code, "ERR_CREDENTIALS"), retryable, "the page's provider of credentials or URLs failed: %s",
			cmp.Or(c.secrets.redact(message), "see the cause of this error")))
	}
}

// open opens the socket of the attempt.
func (c *Client) open(url secret.String) {
	c.url, c.urlAt = url, c.now
	c.secrets.addURL(url)
	c.wait(opening, openTimeout)
	c.host.Open(c.attempt, url)
}

// OpenFailed reports that the browser did not create the socket of the attempt. name is
// the name of the browser's error. The client does not retry.
func (c *Client) OpenFailed(now time.Duration, attempt uint32, name string) {
	c.now = now
	if c.stage == opening && attempt == c.attempt {
		c.lose(failure(PhaseOpen, "ERR_WEBSOCKET", false, "the browser does not open a WebSocket to this address (%s): "+
			"check that the URL is valid; a page loaded by https: needs wss:; Node has a WebSocket since version 22", c.secrets.redact(name)))
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
	c.sent, c.received = wire{}, wire{}
	c.engine.Gate(nil)
	if c.awsQuotas {
		c.pacer = newPacer(now)
		c.engine.Gate(c.pace)
	}
	c.stage = handshake // the stages opening and handshake share openTimeout
	o := &c.options
	c.engine.Open(now, mqtt.ConnectOptions{
		ClientID: o.ClientID, Username: o.Username, Password: o.password(),
		KeepAlive: uint16(o.KeepAlive), CleanStart: o.CleanStart && !c.everConnected, SessionExpiry: uint32(o.SessionExpiry),
		ReceiveMaximum: receiveMaximum, MaximumPacketSize: maxPacket, TopicAliasMaximum: topicAliases,
		Will: o.Will, User: o.User, AckTimeout: o.AckTimeout,
	})
}

// SocketClosed reports that the socket of the attempt has closed, or that it did not
// open. code is the close code of the WebSocket.
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
			"the client id may not be allowed by the policy, or the broker has no MQTT 5 support")
		e.CloseCode = code
		c.lose(e)
	case connected:
		e := failure(PhaseSession, "ERR_CONNECTION_LOST", true, "the connection was lost (WebSocket close code %d)", code)
		e.CloseCode = code
		c.lose(e)
	}
}

// pace reports whether AWS's quotas allow the client to send a message of size bytes
// now, and counts the message. The engine calls it before each message.
func (c *Client) pace(size int) bool {
	if c.pacer.wait() > 0 {
		return false
	}
	c.pacer.spend(1, size)
	return true
}

// openRefused ends an attempt whose socket did not open. p is the reason.
func (c *Client) openRefused(p Probe) {
	p.Message = c.secrets.redact(p.Message)
	e := openError(p, c.closeCode, &c.options)
	c.credentialsRefused = p.Status == 403
	if c.options.Source == FromCredentials && c.now-c.urlAt > acceptedSkew {
		e.Retryable = true // the signature has expired, because the machine was suspended
	}
	if c.options.Source != FromCredentials || p.Status != 403 {
		c.lose(e)
		return
	}
	// AWS checks a signature by AWS's clock. The next signature uses that clock if the
	// page could read the Date header.
	ahead, clock := c.skew.refused(p)
	if clock && !c.skew.retried {
		c.skew.retried = true
		c.drop()
		c.change(c.attemptState(), Change{Event: "disconnected", Err: e, RetryIn: 0})
		c.skew.ahead, c.skew.confirmed = ahead, false
		c.begin()
		return
	}
	c.lose(e)
	c.skew.ahead, c.skew.confirmed = ahead, false
}

// Probed reports the result of [Host.Probe]. The client requests the URL with the query
// only if the request without the query has a response, and if the page's
// Content-Security-Policy allows that request. The browser may report the URL of a
// forbidden request to a server, and the query contains secrets.
func (c *Client) Probed(now time.Duration, attempt uint32, p Probe) {
	c.now = now
	if c.stage != probing || attempt != c.attempt {
		return
	}
	switch secret := strings.Contains(c.url.Reveal(), "?"); {
	case secret && !c.secretProbe:
		// The service refuses every request without a signature. Its error is not the
		// reason for which the socket did not open.
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
	c.openRefused(p)
}
