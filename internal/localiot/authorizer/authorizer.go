package authorizer

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"iot.wasm/internal/localiot/iam"
)

// The parameters of the query, of the headers and of the user name ("Connecting to AWS IoT Core by using
// custom authentication").
const (
	nameKey      = "x-amz-customauthorizer-name"
	signatureKey = "x-amz-customauthorizer-signature"
)

// An Error is the reason for which a client was refused. It contains no secret.
type Error struct {
	Check   string // authorizer-name, authorizer-token, authorizer-signature, authorizer-rule or authorizer-file
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func refuse(check, message string) error { return &Error{"authorizer-" + check, message} }

// A Set contains the authorizers of a rule file. It reads the file again when the file has changed, so that a
// change takes effect for new connections and for refreshes. It is safe for concurrent use.
type Set struct {
	name string
	now  func() time.Time

	mu   sync.Mutex
	file *file
	info os.FileInfo // of file
}

// Open reads a rule file. now is the clock.
func Open(name string, now func() time.Time) (*Set, error) {
	f, info, err := read(name)
	if err != nil {
		return nil, err
	}
	return &Set{name: name, now: now, file: f, info: info}, nil
}

// current returns the content of the file.
func (s *Set) current() (*file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.name)
	if err == nil && (info.ModTime() != s.info.ModTime() || info.Size() != s.info.Size()) {
		var f *file
		if f, info, err = read(s.name); err == nil {
			s.file, s.info = f, info
		}
	}
	if err != nil {
		return nil, refuse("file", "The rule file of the authorizers cannot be read.")
	}
	return s.file, nil
}

// credentials are what a client sends for an authorizer.
type credentials struct {
	name, token, signature string
	username               string
	password               []byte
}

// A Login is the authentication of one connection. It begins with the WebSocket handshake and ends with the
// CONNECT.
type Login struct {
	set *Set
	// credentials are those of the handshake. Nil: the handshake has none, and the CONNECT must have them.
	credentials *credentials
}

// Begin checks a WebSocket handshake that has no signature of AWS. The client may send its credentials in the
// query or in headers. If it sends none, the user name of the CONNECT must contain them. An error is an
// *Error; the server answers it with HTTP status 403.
func (s *Set) Begin(r *http.Request) (*Login, error) {
	f, err := s.current()
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("token", "The query string is malformed.")
	}
	get := func(key string) string {
		if query.Has(key) {
			return query.Get(key)
		}
		return r.Header.Get(key)
	}
	c, given := f.credentials(get)
	if !given {
		return &Login{set: s}, nil
	}
	if _, err := f.authenticate(c, (*rule).matchesCredentialsOfHandshake); err != nil {
		return nil, err
	}
	return &Login{s, c}, nil
}

// credentials returns the credentials in parameters, and reports whether there are any.
func (f *file) credentials(get func(key string) string) (c *credentials, given bool) {
	c = &credentials{name: get(nameKey), signature: strings.ReplaceAll(get(signatureKey), " ", "+")}
	a := f.find(c.name)
	if a != nil && a.TokenKeyName != "" {
		c.token = get(a.TokenKeyName)
	}
	return c, c.name != "" || c.token != "" || c.signature != ""
}

// find returns the authorizer that has a name, or the default authorizer if the name is "". It returns nil
// if there is none.
func (f *file) find(name string) *authorizer {
	i := slices.IndexFunc(f.Authorizers, func(a *authorizer) bool { return name != "" && a.Name == name || name == "" && a.Default })
	if i < 0 {
		return nil
	}
	return f.Authorizers[i]
}

// authenticate returns the first rule that matches credentials whose signature is valid.
func (f *file) authenticate(c *credentials, matches func(*rule, *credentials) bool) (*rule, error) {
	a := f.find(c.name)
	switch {
	case a == nil && c.name == "":
		return nil, refuse("name", "The client names no authorizer, and there is no default authorizer.")
	case a == nil:
		return nil, refuse("name", "There is no authorizer with this name.")
	case a.SigningDisabled:
	case c.token == "":
		return nil, refuse("token", "The token is missing; its key is the tokenKeyName of the authorizer.")
	case c.signature == "":
		return nil, refuse("signature", "The signature of the token is missing; its key is "+signatureKey+".")
	case !a.verify(c.token, c.signature):
		return nil, refuse("signature", "The signature of the token is not valid for the publicKey of the authorizer.")
	}
	i := slices.IndexFunc(a.Rules, func(r *rule) bool { return matches(r, c) })
	if i < 0 {
		return nil, refuse("rule", "No rule of the authorizer accepts the client.")
	}
	return a.Rules[i], nil
}

// verify reports whether a signature in Base64 is an RSA signature of a token with SHA-256 ("Signing the
// token").
func (a *authorizer) verify(token, signature string) bool {
	s, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	hash := sha256.Sum256([]byte(token))
	return rsa.VerifyPKCS1v15(a.key, crypto.SHA256, hash[:], s) == nil
}

// matchesCredentialsOfHandshake reports whether the rule can apply to a client that has sent its handshake.
func (r *rule) matchesCredentialsOfHandshake(c *credentials) bool { return r.matchesToken(c.token) }

// matchesCredentials reports whether the rule applies to a client that has sent its CONNECT.
func (r *rule) matchesCredentials(c *credentials) bool {
	return r.matches(c.token, c.username, c.password)
}

// Finish checks the user name and the password of the CONNECT. A query string in the user name, behind a
// question mark, contains the parameters of the authorizer if the handshake did not. An error is an *Error;
// the broker answers it with a CONNACK that refuses the client.
func (l *Login) Finish(username string, password []byte) (*Grant, error) {
	f, err := l.set.current()
	if err != nil {
		return nil, err
	}
	name, text, _ := strings.Cut(username, "?")
	c := credentials{}
	if l.credentials != nil {
		c = *l.credentials
	} else {
		query, err := parseUserName(text)
		if err != nil {
			return nil, refuse("token", "The query string in the user name is malformed.")
		}
		given, _ := f.credentials(query.Get)
		c = *given
	}
	c.username, c.password = name, slices.Clone(password)
	g := &Grant{set: l.set, credentials: c, began: l.set.now()}
	if err := g.refresh(f); err != nil {
		return nil, err
	}
	g.until = g.began.Add(time.Duration(g.rule.DisconnectAfterInSeconds) * time.Second)
	return g, nil
}

// parseUserName parses the query string in a user name. A semicolon is a character like others: AWS's SDKs
// append metadata about themselves that contain semicolons, and url.ParseQuery refuses these.
func parseUserName(text string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
}

// A Grant is the result of an authorizer for one connection. It is safe for concurrent use.
type Grant struct {
	set         *Set
	credentials credentials
	began       time.Time
	until       time.Time

	mu   sync.Mutex
	rule *rule
	next time.Time // of the next refresh
}

// refresh finds the rule again. The caller holds g.mu, if the Grant is in use.
func (g *Grant) refresh(f *file) error {
	r, err := f.authenticate(&g.credentials, (*rule).matchesCredentials)
	if err != nil {
		return err
	}
	g.rule = r
	g.next = g.set.now().Add(time.Duration(r.RefreshAfterInSeconds) * time.Second)
	return nil
}

// Principal returns the principalId.
func (g *Grant) Principal() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rule.PrincipalID
}

// Documents returns the policy documents.
func (g *Grant) Documents() []*iam.Document {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rule.documents
}

// Until returns the time at which the server must close the connection.
func (g *Grant) Until() time.Time { return g.until }

// Refresh authenticates the client again, if refreshAfterInSeconds have passed since the last time. It
// reports whether the documents may have changed. It returns an error if the authorizer no longer accepts
// the client, or if the time of Until has come; the server must then close the connection.
func (g *Grant) Refresh() (refreshed bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.set.now()
	if !now.Before(g.until) {
		return false, refuse("disconnect", "The connection has reached disconnectAfterInSeconds.")
	}
	if now.Before(g.next) {
		return false, nil
	}
	f, err := g.set.current()
	if err != nil {
		return false, err
	}
	return true, g.refresh(f)
}
