package localiot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	// maxIdentities is how many identities the pool remembers; a longer-lived one is not found, as
	// one that was deleted in AWS.
	maxIdentities = 1000

	// maxCognitoRequest bounds the body of a request, in bytes.
	maxCognitoRequest = 64 << 10

	// loginProvider is the one that the pool trusts. Its tokens are the names of users: anything
	// but the empty string, and expiredLogin.
	loginProvider = "localhost"
	expiredLogin  = "expired"

	cognitoTarget = "AWSCognitoIdentityService."
)

// cognito stands in for Amazon Cognito's identity pools: it hands out temporary keys, limited for
// those who have not logged in, to pages that know nothing but the id of the pool. It speaks AWS
// JSON 1.1 (Amazon Cognito Federated Identities, API Reference).
type cognito struct {
	pool     string
	keys     *keyStore
	clock    *clock
	attached *policy // of authenticated identities

	mu         sync.Mutex
	lifetime   time.Duration
	identities recent[identity]
	failures   countdown[string] // the errors that a fault asks for, by their names
}

// identity is somebody who has come before.
type identity struct {
	user string // empty until they log in
}

func newCognito(o Options, keys *keyStore, clock *clock) *cognito {
	c := &cognito{
		pool:       randomID(),
		keys:       keys,
		clock:      clock,
		attached:   unattached,
		lifetime:   o.CredentialLifetime,
		identities: newRecent[identity](maxIdentities),
	}
	if o.AttachPolicy {
		c.attached = nil
	}
	if c.lifetime == 0 {
		c.lifetime = time.Hour
	}
	return c
}

// cognitoError is an error in AWS JSON 1.1, sent with HTTP status 400.
type cognitoError struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func failed(kind, format string, args ...any) *cognitoError {
	return &cognitoError{kind, fmt.Sprintf(format, args...)}
}

type cognitoRequest struct {
	IdentityPoolID string            `json:"IdentityPoolId"`
	IdentityID     string            `json:"IdentityId"`
	Logins         map[string]string `json:"Logins"`
}

type cognitoAnswer struct {
	IdentityID  string              `json:"IdentityId"`
	Credentials *cognitoCredentials `json:",omitempty"`
}

type cognitoCredentials struct {
	AccessKeyID  string `json:"AccessKeyId"`
	SecretKey    string
	SessionToken string
	Expiration   float64 // seconds since 1970
}

func (c *cognito) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r)
	h := w.Header()
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type, X-Amz-Target, X-Amz-User-Agent, Amz-Sdk-Invocation-Id, Amz-Sdk-Request")
		h.Set("Access-Control-Max-Age", "172800")
		return
	}
	h.Set("Access-Control-Expose-Headers", "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, Date")
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("Cache-Control", "no-store")
	answer, e := c.answer(w, r)
	if e != nil {
		h.Set("x-amzn-ErrorType", e.Type)
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(e)
		return
	}
	json.NewEncoder(w).Encode(answer)
}

func (c *cognito) answer(w http.ResponseWriter, r *http.Request) (*cognitoAnswer, *cognitoError) {
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), cognitoTarget)
	if !ok || action != "GetId" && action != "GetCredentialsForIdentity" {
		return nil, failed("UnknownOperationException", "The stand-in knows GetId and GetCredentialsForIdentity.")
	}
	// The body is read before the lock is taken, as a client may take its time to send it.
	var q cognitoRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCognitoRequest)).Decode(&q)
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind, ok := c.failures.next(); ok {
		return nil, failed(kind, "As the fault control has asked for.")
	}
	if err != nil {
		return nil, failed("InvalidParameterException", "The request is not the JSON that this operation takes.")
	}
	if action == "GetId" {
		return c.getID(q)
	}
	return c.getCredentials(q)
}

// idPattern is AWS's, for pools and identities both.
var idPattern = regexp.MustCompile(`^[\w-]+:[0-9a-f-]+$`)

func checkID(name, id string) *cognitoError {
	if len(id) > 55 || !idPattern.MatchString(id) {
		return failed("InvalidParameterException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+", name)
	}
	return nil
}

// user returns who has logged in: nobody, when there are no logins.
func user(logins map[string]string) (string, *cognitoError) {
	if len(logins) == 0 {
		return "", nil
	}
	switch token := logins[loginProvider]; token {
	case "":
		return "", failed("NotAuthorizedException", "Invalid login token. This pool trusts the provider %s, with any name for a token.", loginProvider)
	case expiredLogin:
		return "", failed("NotAuthorizedException", "Invalid login token. Token expired.")
	default:
		return token, nil
	}
}

func (c *cognito) getID(q cognitoRequest) (*cognitoAnswer, *cognitoError) {
	if e := checkID("identityPoolId", q.IdentityPoolID); e != nil {
		return nil, e
	}
	if q.IdentityPoolID != c.pool {
		return nil, failed("ResourceNotFoundException", "IdentityPool '%s' not found.", q.IdentityPoolID)
	}
	name, e := user(q.Logins)
	if e != nil {
		return nil, e
	}
	if name != "" {
		for id, known := range c.identities.entries {
			if known.user == name {
				return &cognitoAnswer{IdentityID: id}, nil
			}
		}
	}
	id := randomID()
	c.identities.put(id, identity{name})
	return &cognitoAnswer{IdentityID: id}, nil
}

func (c *cognito) getCredentials(q cognitoRequest) (*cognitoAnswer, *cognitoError) {
	if e := checkID("identityId", q.IdentityID); e != nil {
		return nil, e
	}
	known, ok := c.identities.entries[q.IdentityID]
	if !ok {
		return nil, failed("ResourceNotFoundException", "Identity '%s' not found.", q.IdentityID)
	}
	name, e := user(q.Logins)
	switch {
	case e != nil:
		return nil, e
	case known.user == "" && name != "": // who logs in stays the same identity
		c.identities.entries[q.IdentityID] = identity{name}
	case known.user != "" && name == "":
		return nil, failed("NotAuthorizedException", "Access to Identity '%s' is forbidden.", q.IdentityID)
	case known.user != name:
		return nil, failed("NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool.")
	}
	granted := guest
	if name != "" {
		granted = c.attached
	}
	expires := c.clock.now().Add(c.lifetime)
	k := c.keys.issueTemporary(expires, granted)
	return &cognitoAnswer{q.IdentityID, &cognitoCredentials{k.id, k.Secret, k.SessionToken, float64(expires.UnixMilli()) / 1000}}, nil
}

// setLifetime says how long the keys live that are handed out from now on.
func (c *cognito) setLifetime(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lifetime = d
}

// fail answers the next n requests with an error.
func (c *cognito) fail(kind string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = countdown[string]{kind, n}
}

// forget loses all identities.
func (c *cognito) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.identities = newRecent[identity](maxIdentities)
}
