// Package cognito is a local stand-in for an identity pool of Amazon Cognito. A page that sends the
// id of the pool gets temporary AWS credentials. Package iam decides what the credentials allow.
//
// The package implements the operations GetId and GetCredentialsForIdentity in AWS JSON 1.1 ("Amazon
// Cognito Federated Identities", API Reference).
package cognito

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"iot.wasm/internal/localiot/bounded"
	"iot.wasm/internal/localiot/iam"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/web"
)

const (
	// maxIdentities is the maximum number of identities in a Pool. Above it, the Pool removes the
	// oldest identity. For a removed identity it returns the exception that AWS returns for a deleted
	// one.
	maxIdentities = 1000

	// maxRequest is the largest body of a request, in bytes.
	maxRequest = 64 << 10

	// loginProvider is the only login provider that the pool trusts. Its tokens are user names. Every
	// token is valid, except "" and expiredLogin.
	loginProvider = "localhost"
	expiredLogin  = "expired"

	// maxUser is the length of the longest user name, in bytes.
	maxUser = 256

	targetPrefix = "AWSCognitoIdentityService." // of the header X-Amz-Target
)

// Options configure a Pool. Region, Keys and Now must be set.
type Options struct {
	Region string           // the region in the ids of the pool and of identities
	Keys   *iam.KeyStore    // stores the issued keys
	Now    func() time.Time // the clock that determines when issued keys expire
	Store  *store.DB        // keeps the id of the pool and the identities; may be nil

	// Lifetime is how long issued keys are valid. Zero means 1 h.
	Lifetime time.Duration

	// Fault reports whether the next request must fail, and returns the name of the exception. It may
	// be nil.
	Fault func() (exception string, ok bool)

	// Logger logs one line for each request, without ids and logins. Nil logs nothing.
	Logger *slog.Logger
}

// Pool is an identity pool. It implements http.Handler, and is safe for concurrent use.
type Pool struct {
	options Options
	id      string

	mu         sync.Mutex
	lifetime   time.Duration
	identities identities
}

// New returns a Pool with the id and the identities in Options.Store. If the store has no pool, the id is
// random.
func New(o Options) (*Pool, error) {
	p := &Pool{
		options:    o,
		lifetime:   o.Lifetime,
		identities: identities{db: o.Store, users: bounded.NewMap[identity](maxIdentities)},
	}
	if p.lifetime == 0 {
		p.lifetime = time.Hour
	}
	if p.options.Logger == nil {
		p.options.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.id, err = openPool(o.Store, o.Region); err == nil {
		err = p.identities.load()
	}
	if err != nil {
		return nil, fmt.Errorf("cognito: %w", err)
	}
	return p, nil
}

// ID returns the identity pool id.
func (p *Pool) ID() string { return p.id }

// SetLifetime sets the lifetime of keys that are issued later. It does not change issued keys.
func (p *Pool) SetLifetime(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lifetime = d
}

// ForgetIdentities removes all identities.
func (p *Pool) ForgetIdentities() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.identities.clear()
}

// exception is an error in AWS JSON 1.1.
type exception struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
	status  int    // of HTTP
}

// newException returns an exception with HTTP status 400.
func newException(kind, format string, args ...any) *exception {
	return &exception{kind, fmt.Sprintf(format, args...), http.StatusBadRequest}
}

// notStored returns the exception for an error of the store.
func notStored() *exception {
	return &exception{"InternalErrorException", "The state could not be stored.", http.StatusInternalServerError}
}

type request struct {
	IdentityPoolID string            `json:"IdentityPoolId"`
	IdentityID     string            `json:"IdentityId"`
	Logins         map[string]string `json:"Logins"`
}

type response struct {
	IdentityID  string       `json:"IdentityId"`
	Credentials *credentials `json:",omitempty"`
}

type credentials struct {
	AccessKeyID  string `json:"AccessKeyId"`
	SecretKey    string
	SessionToken string
	Expiration   float64 // seconds since 1970
}

// Addresses reports whether a request names an operation of Cognito, in the header X-Amz-Target.
func Addresses(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
}

// allowedHeaders are the headers that a page may send, in lower case. Besides those of AWS's SDKs and of
// Amplify, they contain the headers of a signature, which has no effect.
const allowedHeaders = "amz-sdk-invocation-id, amz-sdk-request, authorization, cache-control, content-type, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent"

// ServeHTTP implements http.Handler for POST and for CORS preflights with OPTIONS.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	web.AllowOrigin(w, r)
	h := w.Header()
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", allowedHeaders)
		h.Set("Access-Control-Max-Age", "172800")
		return
	}
	h.Set("Access-Control-Expose-Headers", "x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, Date")
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("Cache-Control", "no-store")
	h.Set("x-amzn-RequestId", randomUUID())
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok || operation != "GetId" && operation != "GetCredentialsForIdentity" {
		operation = ""
	}
	answer, e := p.answer(w, r, operation)
	if e != nil {
		p.options.Logger.Info("refused", "service", "cognito", "operation", operation, "check", e.Type)
		h.Set("x-amzn-ErrorType", e.Type)
		w.WriteHeader(e.status)
		json.NewEncoder(w).Encode(e)
		return
	}
	p.options.Logger.Info("cognito", "operation", operation)
	json.NewEncoder(w).Encode(answer)
}

// answer carries out an operation; "" is an unknown one.
func (p *Pool) answer(w http.ResponseWriter, r *http.Request, operation string) (*response, *exception) {
	if operation == "" {
		return nil, newException("UnknownOperationException", "The local Cognito supports GetId and GetCredentialsForIdentity.")
	}
	// A client may send its body slowly, so the lock is acquired after the body has been read.
	var q request
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if p.options.Fault != nil {
		if kind, ok := p.options.Fault(); ok {
			return nil, newException(kind, "Requested by the fault control.")
		}
	}
	if err != nil {
		return nil, &exception{"RequestEntityTooLargeException", "The request body is too large.", http.StatusRequestEntityTooLarge}
	}
	if err := json.Unmarshal(body, &q); err != nil && len(body) > 0 {
		return nil, newException("SerializationException", "The request is not the JSON that this operation takes.")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if operation == "GetId" {
		return p.getID(q)
	}
	return p.getCredentials(q)
}

// idPattern matches the ids of pools and of identities. AWS uses the same pattern.
var idPattern = regexp.MustCompile(`^[\w-]+:[0-9a-f-]+$`)

func checkID(name, id string) *exception {
	if len(id) > 55 || !idPattern.MatchString(id) {
		return newException("InvalidParameterException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+", name)
	}
	return nil
}

// userOf returns the user that the logins authenticate, or "" if there are none.
func userOf(logins map[string]string) (user string, e *exception) {
	if len(logins) == 0 {
		return "", nil
	}
	switch token := logins[loginProvider]; token {
	case "":
		return "", newException("NotAuthorizedException", "Invalid login token. This pool trusts the provider %s; its token is any user name.", loginProvider)
	case expiredLogin:
		return "", newException("NotAuthorizedException", "Invalid login token. Token expired.")
	default:
		if len(token) > maxUser {
			return "", newException("NotAuthorizedException", "Invalid login token. The user name is longer than %d bytes.", maxUser)
		}
		return token, nil
	}
}

func (p *Pool) getID(q request) (*response, *exception) {
	if e := checkID("identityPoolId", q.IdentityPoolID); e != nil {
		return nil, e
	}
	if q.IdentityPoolID != p.id {
		message := fmt.Sprintf("IdentityPool '%s' not found.", q.IdentityPoolID)
		if region, _, _ := strings.Cut(q.IdentityPoolID, ":"); region != p.options.Region {
			message += fmt.Sprintf(" Its region is '%s'. The region of this endpoint is '%s'.", region, p.options.Region)
		}
		return nil, newException("ResourceNotFoundException", "%s", message)
	}
	user, e := userOf(q.Logins)
	if e != nil {
		return nil, e
	}
	if user != "" {
		if id, ok := p.identities.of(user); ok {
			return &response{IdentityID: id}, nil
		}
	}
	id := randomID(p.options.Region)
	if p.identities.create(id, user) != nil {
		return nil, notStored()
	}
	return &response{IdentityID: id}, nil
}

func (p *Pool) getCredentials(q request) (*response, *exception) {
	if e := checkID("identityId", q.IdentityID); e != nil {
		return nil, e
	}
	owner, ok := p.identities.user(q.IdentityID)
	if !ok {
		return nil, newException("ResourceNotFoundException", "Identity '%s' not found.", q.IdentityID)
	}
	user, e := userOf(q.Logins)
	switch {
	case e != nil:
		return nil, e
	case owner == "" && user != "": // a guest who logs in keeps the identity
		if p.identities.logIn(q.IdentityID, user) != nil {
			return nil, notStored()
		}
	case owner != "" && user == "":
		return nil, newException("NotAuthorizedException", "Access to Identity '%s' is forbidden.", q.IdentityID)
	case owner != user:
		return nil, newException("NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool.")
	}
	expires := p.options.Now().Add(p.lifetime)
	k, err := p.options.Keys.IssueTemporary(expires, iam.Owner{IdentityID: q.IdentityID, Authenticated: user != ""})
	if err != nil {
		return nil, notStored()
	}
	return &response{q.IdentityID, &credentials{k.ID, k.Secret, k.SessionToken, float64(expires.UnixMilli()) / 1000}}, nil
}
