package cognito

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/iam"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/store/storetest"
)

// now is the time of all clocks in these tests.
var now = time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)

func newPool(o Options) *Pool {
	o.Region, o.Keys, o.Now = cmp.Or(o.Region, "us-east-1"), iam.NewKeyStore(), func() time.Time { return now }
	p, err := New(o)
	if err != nil {
		panic(err)
	}
	return p
}

// call sends one request to the pool, and returns its response or the name of its exception.
func call(t *testing.T, p *Pool, operation, body string) (response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/cognito", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", operation)
	r.Header.Set("Origin", "http://localhost:5173")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	var got struct {
		response
		exception
	}
	if err := json.NewDecoder(w.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	failed := got.Type != ""
	if (w.Code == http.StatusOK) == failed || (got.Message != "") != failed || w.Header().Get("x-amzn-ErrorType") != got.Type {
		t.Errorf("%s: %d %s %q, headers %v", operation, w.Code, got.Type, got.Message, w.Header())
	}
	if origin := w.Header().Get("Access-Control-Allow-Origin"); origin != "http://localhost:5173" {
		t.Errorf("Access-Control-Allow-Origin: %q", origin)
	}
	return got.response, got.Type
}

const (
	getID          = "AWSCognitoIdentityService.GetId"
	getCredentials = "AWSCognitoIdentityService.GetCredentialsForIdentity"
)

// identityOf returns the identity id for logins in JSON.
func identityOf(t *testing.T, p *Pool, logins string) string {
	t.Helper()
	got, e := call(t, p, getID, fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":%s}`, p.ID(), logins))
	if e != "" {
		t.Fatal(e)
	}
	return got.IdentityID
}

// credentialsOf returns the credentials of an identity for logins in JSON, or the exception.
func credentialsOf(t *testing.T, p *Pool, id, logins string) (*credentials, string) {
	t.Helper()
	got, e := call(t, p, getCredentials, fmt.Sprintf(`{"IdentityId":%q,"Logins":%s}`, id, logins))
	if e == "" && got.IdentityID != id {
		t.Errorf("credentials of %s, want those of %s", got.IdentityID, id)
	}
	return got.Credentials, e
}

func TestFormats(t *testing.T) {
	p := newPool(Options{Lifetime: 90 * time.Second})
	id := identityOf(t, p, "{}")
	k, e := credentialsOf(t, p, id, "{}")
	if e != "" {
		t.Fatal(e)
	}
	if !strings.HasPrefix(id, "us-east-1:") || len(id) != 46 {
		t.Errorf("identity id %s", id)
	}
	if !strings.HasPrefix(k.AccessKeyID, "ASIA") {
		t.Errorf("access key id %s", k.AccessKeyID)
	}
	for _, c := range "+/=" {
		if !strings.ContainsRune(k.SessionToken, c) {
			t.Errorf("the session token does not contain %q", c)
		}
	}
	if want := float64(now.Unix() + 90); k.Expiration != want {
		t.Errorf("expiration %f, want %f", k.Expiration, want)
	}
	p.SetLifetime(2 * time.Second)
	k, _ = credentialsOf(t, p, id, "{}")
	if want := float64(now.Unix() + 2); k.Expiration != want {
		t.Errorf("expiration %f, want %f", k.Expiration, want)
	}
}

func TestLogins(t *testing.T) {
	p := newPool(Options{})
	alice := identityOf(t, p, `{"localhost":"alice"}`)
	if again := identityOf(t, p, `{"localhost":"alice"}`); again != alice {
		t.Errorf("one user has the identities %s and %s", alice, again)
	}
	guest := identityOf(t, p, "{}")
	if other := identityOf(t, p, "{}"); other == guest {
		t.Error("two guests have one identity")
	}
	for _, test := range []struct{ id, logins, want string }{
		{guest, `{"localhost":"bob"}`, ""}, // now the identity belongs to bob
		{guest, `{}`, "NotAuthorizedException"},
		{guest, `{"localhost":"eve"}`, "NotAuthorizedException"},
		{guest, `{"localhost":"bob"}`, ""},
		{alice, `{"localhost":"alice"}`, ""},
	} {
		if _, e := credentialsOf(t, p, test.id, test.logins); e != test.want {
			t.Errorf("credentials for %s: %q, want %q", test.logins, e, test.want)
		}
	}
}

// An issued key belongs to the identity.
func TestOwnersOfKeys(t *testing.T) {
	for logins, authenticated := range map[string]bool{`{}`: false, `{"localhost":"alice"}`: true} {
		p := newPool(Options{})
		id := identityOf(t, p, logins)
		k, e := credentialsOf(t, p, id, logins)
		if e != "" {
			t.Fatal(e)
		}
		key, ok := p.options.Keys.Get(k.AccessKeyID)
		if !ok || key.Secret != k.SecretKey || key.SessionToken != k.SessionToken {
			t.Fatal("the key store does not hold the issued key")
		}
		if want := (iam.Owner{IdentityID: id, Authenticated: authenticated}); key.Owner != want {
			t.Errorf("logins %s: the owner is %v, want %v", logins, key.Owner, want)
		}
	}
}

func TestExceptions(t *testing.T) {
	failures := 0 // the number of requests that must fail
	p := newPool(Options{Fault: func() (string, bool) {
		failures--
		return "TooManyRequestsException", failures >= 0
	}})
	const other = "us-east-1:00000000-0000-4000-8000-000000000000"
	for _, test := range []struct{ operation, body, want string }{
		{"", `{}`, "UnknownOperationException"},
		{"AWSCognitoIdentityService.ListIdentities", `{}`, "UnknownOperationException"},
		{getID, ``, "InvalidParameterException"},
		{getID, `[]`, "SerializationException"},
		{getID, `{"IdentityPoolId":5}`, "SerializationException"},
		{getID, `{} {}`, "SerializationException"},
		{getID, `{"IdentityPoolId":` + strings.Repeat("[", 30_000), "SerializationException"},
		{getID, `{}`, "InvalidParameterException"},
		{getID, `{"IdentityPoolId":"us-east-1_abc"}`, "InvalidParameterException"},
		{getID, `{"IdentityPoolId":"` + other + `"}`, "ResourceNotFoundException"},
		{getID, `{"IdentityPoolId":"` + p.ID() + `","Logins":{"localhost":""}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + p.ID() + `","Logins":{"localhost":"expired"}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + p.ID() + `","Logins":{"accounts.google.com":"token"}}`, "NotAuthorizedException"},
		{getID, `{"IdentityPoolId":"` + p.ID() + strings.Repeat(" ", maxRequest) + `"}`, "RequestEntityTooLargeException"},
		{getID, `{"IdentityPoolId":"` + p.ID() + `","Logins":{"localhost":"` + strings.Repeat("a", maxUser+1) + `"}}`, "NotAuthorizedException"},
		{getCredentials, `{}`, "InvalidParameterException"},
		{getCredentials, `{"IdentityId":"` + other + `"}`, "ResourceNotFoundException"},
	} {
		if _, got := call(t, p, test.operation, test.body); got != test.want {
			t.Errorf("%s %.80s: %q, want %q", test.operation, test.body, got, test.want)
		}
	}
	id := identityOf(t, p, "{}")
	failures = 2
	for _, want := range []string{"TooManyRequestsException", "TooManyRequestsException", ""} {
		if _, got := credentialsOf(t, p, id, "{}"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	p.ForgetIdentities()
	if _, got := credentialsOf(t, p, id, "{}"); got != "ResourceNotFoundException" {
		t.Errorf("for a removed identity: %q", got)
	}
}

// The exception for the pool of another region names both regions.
func TestOtherRegion(t *testing.T) {
	p := newPool(Options{Region: "eu-central-1"})
	if !strings.HasPrefix(p.ID(), "eu-central-1:") || !strings.HasPrefix(identityOf(t, p, "{}"), "eu-central-1:") {
		t.Errorf("pool %s", p.ID())
	}
	_, e := p.getID(request{IdentityPoolID: "us-east-1:00000000-0000-4000-8000-000000000000"})
	if e == nil || !strings.Contains(e.Message, "'us-east-1'") || !strings.Contains(e.Message, "'eu-central-1'") {
		t.Errorf("%+v", e)
	}
}

// The id of the pool and the identities survive a restart, in the order of their creation.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	open := func(region string) (*Pool, *store.DB) {
		db := storetest.Open(t, dir)
		return newPool(Options{Region: region, Store: db}), db
	}
	p, db := open("us-east-1")
	id := p.ID()
	first := identityOf(t, p, "{}")
	for range maxIdentities - 2 {
		identityOf(t, p, "{}")
	}
	alice := identityOf(t, p, `{"localhost":"alice"}`)
	if _, e := credentialsOf(t, p, first, `{"localhost":"bob"}`); e != "" { // a guest logs in
		t.Fatal(e)
	}
	db.Close()

	p, db = open("us-east-1")
	if p.ID() != id {
		t.Errorf("the id of the pool is %s, want %s", p.ID(), id)
	}
	if got := identityOf(t, p, `{"localhost":"alice"}`); got != alice {
		t.Errorf("the identity of alice is %s, want %s", got, alice)
	}
	if got := identityOf(t, p, `{"localhost":"bob"}`); got != first {
		t.Errorf("the identity of bob is %s, want %s", got, first)
	}
	identityOf(t, p, "{}") // removes the oldest identity
	db.Close()

	p, db = open("eu-west-1")
	if p.ID() == id {
		t.Error("two regions have one pool")
	}
	db.Close()

	p, db = open("us-east-1")
	if _, e := credentialsOf(t, p, first, `{"localhost":"bob"}`); e != "ResourceNotFoundException" {
		t.Errorf("a removed identity: %q", e)
	}
	p.ForgetIdentities()
	db.Close()
	p, db = open("us-east-1")
	defer db.Close()
	if _, e := credentialsOf(t, p, alice, `{"localhost":"alice"}`); e != "ResourceNotFoundException" || p.ID() != id {
		t.Errorf("after ForgetIdentities: %q", e)
	}
}
