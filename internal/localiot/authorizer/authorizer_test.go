package authorizer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// key is the key of the tests. Its generation takes long.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func publicKey(k any) string {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func sign(token string) string {
	hash := sha256.Sum256([]byte(token))
	s, err := rsa.SignPKCS1v15(nil, key(), crypto.SHA256, hash[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(s)
}

const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}`

// object is a JSON object.
type object map[string]any

// result returns a rule with the result of the Lambda function and further members.
func result(principal string, members object) object {
	r := object{"principalId": principal, "policyDocuments": []any{json.RawMessage(everything)}, "disconnectAfterInSeconds": 3600, "refreshAfterInSeconds": 300}
	for name, v := range members {
		r[name] = v
	}
	return r
}

// testFile is a rule file with a signed authorizer and one without signatures.
func testFile() object {
	return object{"authorizers": []any{
		object{"name": "door", "tokenKeyName": "key", "publicKey": publicKey(&key().PublicKey), "rules": []any{
			result("guard", object{"token": "t", "username": "guard", "password": "pass+word"}),
			result("visitor", object{"token": "a b+c"}),
		}},
		object{"name": "users", "signingDisabled": true, "default": true, "tokenKeyName": "key", "rules": []any{
			result("alice", object{"username": "alice", "password": "secret"}),
			result("token", object{"token": "open"}),
		}},
	}}
}

// clock is the clock of a test.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func write(t *testing.T, name string, content any) string {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if name == "" {
		name = filepath.Join(t.TempDir(), "rules.json")
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, content any) (*Set, *clock) {
	t.Helper()
	c := &clock{time.Now()}
	s, err := Open(write(t, "", content), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// values returns pairs of names and values as a query.
func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

func handshake(query string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://localhost/mqtt?"+query, nil)
	if err != nil {
		panic(err)
	}
	return r
}

func wantCheck(t *testing.T, what string, err error, check string) {
	t.Helper()
	var e *Error
	if errors.As(err, &e); check == "" && err != nil || check != "" && (e == nil || e.Check != check) {
		t.Errorf("%s: %v, want the check %q", what, err, check)
	}
}

func TestHandshake(t *testing.T) {
	s, _ := open(t, testFile())
	token, signature := "a b+c", sign("a b+c")
	for name, test := range map[string]struct {
		query          url.Values
		username       string
		password       string
		begin, connect string // the failed checks
		principal      string
	}{
		"signed token":       {values(nameKey, "door", "key", token, signatureKey, signature), "", "", "", "", "visitor"},
		"user name ignored":  {values(nameKey, "door", "key", token, signatureKey, signature), "x?SDK=y", "z", "", "", "visitor"},
		"token and password": {values(nameKey, "door", "key", "t", signatureKey, sign("t")), "guard", "pass+word", "", "", "guard"},
		"wrong password":     {values(nameKey, "door", "key", "t", signatureKey, sign("t")), "guard", "pass word", "", "authorizer-rule", ""},
		"other token":        {values(nameKey, "door", "key", "u", signatureKey, sign("u")), "", "", "authorizer-rule", "", ""},
		"other signature":    {values(nameKey, "door", "key", token, signatureKey, sign("t")), "", "", "authorizer-signature", "", ""},
		"no signature":       {values(nameKey, "door", "key", token), "", "", "authorizer-signature", "", ""},
		"not base64":         {values(nameKey, "door", "key", token, signatureKey, "!"), "", "", "authorizer-signature", "", ""},
		"no token":           {values(nameKey, "door", signatureKey, signature), "", "", "authorizer-token", "", ""},
		"unknown authorizer": {values(nameKey, "window", "key", token, signatureKey, signature), "", "", "authorizer-name", "", ""},
		"default authorizer": {values("key", "open"), "", "", "", "", "token"},
		"default, wrong":     {values("key", "close"), "", "", "", "authorizer-rule", ""},
		"default, user":      {values(nameKey, "users"), "alice", "secret", "", "", "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := s.Begin(handshake(test.query.Encode()))
			wantCheck(t, "Begin", err, test.begin)
			if err != nil {
				return
			}
			g, err := l.Finish(test.username, []byte(test.password))
			wantCheck(t, "Finish", err, test.connect)
			if err == nil && g.Principal() != test.principal {
				t.Errorf("the principal is %s, want %s", g.Principal(), test.principal)
			}
		})
	}
	if _, err := s.Begin(handshake("key=%zz")); err == nil {
		t.Error("Begin accepts a malformed query")
	}
	r := handshake("")
	for name, value := range map[string]string{nameKey: "door", "key": token, signatureKey: signature} {
		r.Header.Set(name, value)
	}
	l, err := s.Begin(r)
	wantCheck(t, "headers", err, "")
	if _, err := l.Finish("", nil); err != nil {
		t.Errorf("headers: %v", err)
	}
}

func TestUserName(t *testing.T) {
	s, _ := open(t, testFile())
	token, signature := "a b+c", sign("a b+c")
	signed := values(nameKey, "door", "key", token, signatureKey, signature).Encode()
	for name, test := range map[string]struct{ username, password, check, principal string }{
		"query":                 {"?" + signed, "", "", "visitor"},
		"name and query":        {"visitor?" + signed + "&SDK=GoV2&Version=1", "", "", "visitor"},
		"metadata":              {"visitor?" + signed + "&SDK=IoTDeviceSDK/JS&Platform=Unix&Metadata=(CRTVersion=1.33.1;IoTSDKVersion=1.28.0)", "", "", "visitor"},
		"semicolon in a token":  {"?key=open;sesame", "", "authorizer-rule", ""},
		"plus sign not encoded": {"?x-amz-customauthorizer-name=door&key=a%20b%2Bc&x-amz-customauthorizer-signature=" + signature, "", "", "visitor"},
		"password":              {"guard?" + values(nameKey, "door", "key", "t", signatureKey, sign("t")).Encode(), "pass+word", "", "guard"},
		"default authorizer":    {"alice", "secret", "", "alice"},
		"default, question":     {"alice?SDK=GoV2", "secret", "", "alice"},
		"wrong user":            {"bob", "secret", "authorizer-rule", ""},
		"wrong password":        {"alice", "Secret", "authorizer-rule", ""},
		"nothing":               {"", "", "authorizer-rule", ""},
		"other authorizer":      {"alice?x-amz-customauthorizer-name=window", "secret", "authorizer-name", ""},
		"malformed":             {"alice?key=%zz", "secret", "authorizer-token", ""},
		"no token":              {"alice?x-amz-customauthorizer-name=door", "secret", "authorizer-token", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := s.Begin(handshake(""))
			wantCheck(t, "Begin", err, "")
			g, err := l.Finish(test.username, []byte(test.password))
			wantCheck(t, "Finish", err, test.check)
			if err == nil && (g.Principal() != test.principal || len(g.Documents()) != 1) {
				t.Errorf("the principal is %s, want %s", g.Principal(), test.principal)
			}
			if err != nil && (strings.Contains(err.Error(), "ecret") || strings.Contains(err.Error(), signature)) {
				t.Errorf("the error contains a secret: %v", err)
			}
		})
	}
	s, _ = open(t, object{"authorizers": []any{object{"name": "a", "signingDisabled": true, "rules": []any{result("p", object{"username": "u"})}}}})
	l, err := s.Begin(handshake(""))
	wantCheck(t, "Begin", err, "")
	_, err = l.Finish("u", nil)
	wantCheck(t, "no default", err, "authorizer-name")
}

func TestRefresh(t *testing.T) {
	s, c := open(t, testFile())
	l, err := s.Begin(handshake(values("key", "open").Encode()))
	wantCheck(t, "Begin", err, "")
	g, err := l.Finish("", nil)
	wantCheck(t, "Finish", err, "")
	began := c.Time
	if want := began.Add(time.Hour); !g.Until().Equal(want) {
		t.Errorf("the connection ends at %v, want %v", g.Until(), want)
	}
	changed := testFile()
	changed["authorizers"].([]any)[1].(object)["rules"] = []any{result("other", object{"token": "open"})}
	write(t, s.name, changed)
	for _, step := range []struct {
		after     time.Duration
		refreshed bool
		check     string
		principal string
		change    any
	}{
		{299 * time.Second, false, "", "token", nil},
		{300 * time.Second, true, "", "other", nil},
		{301 * time.Second, false, "", "other", nil},
		{600 * time.Second, true, "", "other", object{"authorizers": 1}},
		{900 * time.Second, false, "authorizer-file", "other", testFile()},
		{901 * time.Second, true, "", "token", nil},
		{time.Hour, false, "authorizer-disconnect", "token", nil},
	} {
		c.Time = began.Add(step.after)
		refreshed, err := g.Refresh()
		wantCheck(t, fmt.Sprint("after ", step.after), err, step.check)
		if refreshed != step.refreshed || g.Principal() != step.principal {
			t.Errorf("after %v: refreshed %v, principal %s", step.after, refreshed, g.Principal())
		}
		if step.change != nil {
			write(t, s.name, step.change)
		}
	}
	c.Time = began.Add(1300 * time.Second)
	changed["authorizers"].([]any)[1].(object)["rules"] = []any{result("other", object{"token": "closed"})}
	write(t, s.name, changed)
	_, err = g.Refresh()
	wantCheck(t, "without a rule", err, "authorizer-rule")
	os.Remove(s.name)
	_, err = s.Begin(handshake(""))
	wantCheck(t, "without a file", err, "authorizer-file")
}

func TestInvalidFiles(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	one := func(members object) object {
		a := object{"name": "a", "signingDisabled": true, "rules": []any{result("p", object{"token": "t"})}}
		for name, v := range members {
			a[name] = v
		}
		return object{"authorizers": []any{a}}
	}
	rule := func(members object) object { return one(object{"rules": []any{result("p", members)}}) }
	for want, content := range map[string]any{
		"no authorizer":                   object{},
		"unknown field":                   object{"rules": 1},
		"the name must":                   one(object{"name": "a b"}),
		"authorizer 1":                    object{"authorizers": []any{nil}},
		"another authorizer has the name": object{"authorizers": []any{one(nil)["authorizers"].([]any)[0], one(nil)["authorizers"].([]any)[0]}},
		"is the default":                  object{"authorizers": []any{one(object{"default": true})["authorizers"].([]any)[0], one(object{"default": true, "name": "b"})["authorizers"].([]any)[0]}},
		"tokenKeyName must have":          one(object{"tokenKeyName": "a b"}),
		"or signingDisabled":              one(object{"signingDisabled": false}),
		"is not PEM":                      one(object{"signingDisabled": false, "tokenKeyName": "k", "publicKey": "x"}),
		"is not a public key":             one(object{"signingDisabled": false, "tokenKeyName": "k", "publicKey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}),
		"at least 2048 bits":              one(object{"signingDisabled": false, "tokenKeyName": "k", "publicKey": publicKey(&small.PublicKey)}),
		"no rules":                        one(object{"rules": []any{}}),
		"is null":                         one(object{"rules": []any{nil}}),
		"without signing":                 one(object{"rules": []any{result("p", nil)}}),
		"principalId must":                rule(object{"token": "t", "principalId": "a-b"}),
		"from 300 to 86400":               rule(object{"token": "t", "refreshAfterInSeconds": 299}),
		"InSeconds must be":               rule(object{"token": "t", "disconnectAfterInSeconds": 86401}),
		"1 to 10 policyDocuments":         rule(object{"token": "t", "policyDocuments": []any{}}),
		"rules.password has the wrong":    rule(object{"password": 123456}),
		"MalformedPolicyException":        rule(object{"token": "t", "policyDocuments": []any{object{}}}),
	} {
		name := write(t, "", content)
		if _, err := Open(name, time.Now); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("the error is %v, want one with %q", err, want)
		} else if strings.Contains(err.Error(), "123456") {
			t.Errorf("the error contains a password: %v", err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing"), time.Now); err == nil {
		t.Error("Open accepts a missing file")
	}
}

// FuzzLogin checks that no query and no user name makes the authorizers panic, or accept a client without
// a token or password of a rule.
func FuzzLogin(f *testing.F) {
	name := filepath.Join(f.TempDir(), "rules.json")
	text, err := json.Marshal(testFile())
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		f.Fatal(err)
	}
	s, err := Open(name, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("x-amz-customauthorizer-name=door&key=a&x-amz-customauthorizer-signature=b", "", "")
	f.Add("", "alice?x-amz-customauthorizer-name=users&key=x", "y")
	f.Add("key=%zz", "?", "")
	f.Fuzz(func(t *testing.T, query, username, password string) {
		l, err := s.Begin(&http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{}})
		if err != nil {
			return
		}
		g, err := l.Finish(username, []byte(password))
		if err == nil && password != "secret" && !strings.Contains(query+username, "open") && !strings.Contains(query+username, "%") {
			t.Errorf("the query %q and the user name %q are accepted for %s", query, username, g.Principal())
		}
	})
}

// FuzzParse checks that parse does not panic.
func FuzzParse(f *testing.F) {
	text, err := json.Marshal(testFile())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"authorizers":[{"name":"a","signingDisabled":true,"rules":[{}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) { parse(text) })
}
