package localiot

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"iot.wasm/internal/localiot/authorizer"
	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/iam"
	"iot.wasm/internal/localiot/web"
	"iot.wasm/internal/sigv4verify"
)

// authenticate authenticates the client of a request to /mqtt by the signature of the URL, or by a custom
// authorizer.
func (s *Server) authenticate(r *http.Request) (broker.ConnOptions, *web.Refusal) {
	facts := connectionFacts(r)
	if s.custom != nil && !r.URL.Query().Has("X-Amz-Algorithm") && !r.URL.Query().Has("X-Amz-Signature") {
		login, err := s.custom.Begin(r)
		if err != nil {
			return broker.ConnOptions{}, authorizerRefusal(err)
		}
		c := &customConnection{server: s, facts: facts, login: login}
		return broker.ConnOptions{Login: c.finish, Refresh: c.refresh, Address: facts.Address}, nil
	}
	id, refusal := s.verifySignature(r)
	if refusal != nil {
		return broker.ConnOptions{}, refusal
	}
	key, ok := s.keys.Get(id)
	session := s.policies.Session(key.Owner, facts)
	if !ok || !session.MayConnect() {
		return broker.ConnOptions{}, &web.Refusal{Check: "policy", Code: "ForbiddenException", Message: "Forbidden"}
	}
	// The principal of an account's own credentials is its id ("Where you can use policy variables" in the
	// AWS IAM User Guide).
	o := broker.ConnOptions{
		Authorizer: session,
		Principal:  iam.Account,
		Address:    facts.Address,
		Until:      s.clock.now().Add(s.options.ConnectionLifetime),
	}
	if key.Owner.IdentityID != "" {
		o.Principal = key.Owner.IdentityID
	}
	return o, nil
}

// verifySignature verifies the signature of the URL, and returns the access key id.
func (s *Server) verifySignature(r *http.Request) (accessKeyID string, refusal *web.Refusal) {
	err := s.verifier.Verify(r)
	var e *sigv4verify.Error
	switch {
	case errors.As(err, &e):
		return "", &web.Refusal{Check: e.Check, Code: e.Code, Message: e.Message}
	case err != nil:
		return "", &web.Refusal{Check: "signature", Code: "ForbiddenException", Message: "Forbidden"}
	}
	accessKeyID, _, _ = strings.Cut(r.URL.Query().Get("X-Amz-Credential"), "/")
	return accessKeyID, nil
}

func authorizerRefusal(err error) *web.Refusal {
	refusal := &web.Refusal{Check: "authorizer", Code: "ForbiddenException", Message: "Forbidden"}
	var e *authorizer.Error
	if errors.As(err, &e) {
		refusal.Check, refusal.Message = e.Check, e.Message
	}
	return refusal
}

// connectionFacts returns the facts about the connection of r that policies can use.
func connectionFacts(r *http.Request) iam.Connection {
	c := iam.Connection{Domain: r.Host}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		c.Domain = host
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Address = from.Addr().Unmap().String()
	}
	return c
}

// A customConnection is the connection of a client that a custom authorizer authenticates. The broker calls
// its methods from one goroutine.
type customConnection struct {
	server  *Server
	facts   iam.Connection
	login   *authorizer.Login
	session *customSession // nil before the CONNECT
}

// A customSession is the broker.Authorizer of a customConnection.
type customSession struct {
	*iam.Session
	grant *authorizer.Grant
}

// Until implements broker.Limited.
func (s *customSession) Until() time.Time { return s.grant.Until() }

// Principal implements broker.Limited.
func (s *customSession) Principal() string { return s.grant.Principal() }

// finish is a broker.ConnOptions.Login.
func (c *customConnection) finish(_, username string, password []byte) (broker.Authorizer, error) {
	grant, err := c.login.Finish(username, password)
	if err != nil {
		return nil, err
	}
	c.session = &customSession{iam.NewSession(c.server.options.Region, grant.Documents(), c.facts, c.server.findThing), grant}
	return c.session, nil
}

// refresh is a broker.ConnOptions.Refresh.
func (c *customConnection) refresh() bool {
	if c.session == nil {
		return true
	}
	refreshed, err := c.session.grant.Refresh()
	if refreshed && err == nil {
		c.session.SetDocuments(c.session.grant.Documents())
	}
	return err == nil
}
