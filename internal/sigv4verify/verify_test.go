package sigv4verify

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// golden is one presigned URL of sigv4-golden.json. The file names the implementations that
// agree on its URLs.
type golden struct {
	Name             string `json:"name"`
	Region           string `json:"region"`
	Date             string `json:"date"`
	AccessKeyID      string `json:"accessKeyId"`
	SecretAccessKey  string `json:"secretAccessKey"`
	SessionToken     string `json:"sessionToken"`
	Expires          int    `json:"expires"`
	CanonicalRequest string `json:"canonicalRequest"`
	Signature        string `json:"signature"`
	URL              string `json:"url"`
}

func loadGolden(t testing.TB) []golden {
	t.Helper()
	data, err := os.ReadFile("../../wasm/sigv4/testdata/sigv4-golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no golden cases")
	}
	return file.Cases
}

func goldenCase(t testing.TB, name string) golden {
	t.Helper()
	for _, g := range loadGolden(t) {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no golden case %q", name)
	return golden{}
}

// verifier returns a Verifier that has the key of g. Its clock shows the date of g plus elapsed.
func (g golden) verifier(t testing.TB, elapsed time.Duration) *Verifier {
	t.Helper()
	signed, err := time.Parse(dateLayout, g.Date)
	if err != nil {
		t.Fatal(err)
	}
	return &Verifier{
		Region:  g.Region,
		Service: "iotdevicegateway",
		Now:     func() time.Time { return signed.Add(elapsed) },
		Lookup: func(id string) (Key, bool) {
			return Key{Secret: g.SecretAccessKey, SessionToken: g.SessionToken}, id == g.AccessKeyID
		},
	}
}

func request(t testing.TB, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: http.MethodGet, URL: u, Host: u.Host}
}

func wantCheck(t *testing.T, err error, check, code string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want check %q", err, check)
	}
	if e.Check != check || e.Code != code {
		t.Fatalf("got check %q (%s: %s), want %q (%s)", e.Check, e.Code, e.Message, check, code)
	}
	return e
}

// canonicalHandshake returns the canonical request of a WebSocket handshake with the query q, if Host is the
// only signed header. It deletes the signature and the session token from q.
func canonicalHandshake(q url.Values, r *http.Request) string {
	q.Del(paramSignature)
	q.Del(paramToken)
	return canonicalRequest(r, q, []string{"host"}, emptyHash)
}

func TestGolden(t *testing.T) {
	for _, g := range loadGolden(t) {
		t.Run(g.Name, func(t *testing.T) {
			r := request(t, g.URL)
			if err := g.verifier(t, 0).Verify(r); err != nil {
				t.Fatal(err)
			}
			if got := canonicalHandshake(r.URL.Query(), r); got != g.CanonicalRequest {
				t.Errorf("canonical request\n%s\nwant\n%s", got, g.CanonicalRequest)
			}
			r.Host = strings.ToUpper(r.Host)
			if err := g.verifier(t, 0).Verify(r); err != nil {
				t.Errorf("host in capitals: %v", err)
			}
			if !strings.Contains(r.Host, ":") {
				r.Host += ":443"
				if err := g.verifier(t, 0).Verify(r); err != nil {
					t.Errorf("host with port 443: %v", err)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const (
		incomplete   = "IncompleteSignatureException"
		invalid      = "InvalidSignatureException"
		unrecognized = "UnrecognizedClientException"
	)
	set := func(name, value string) func(url.Values) {
		return func(q url.Values) { q.Set(name, value) }
	}
	del := func(name string) func(url.Values) {
		return func(q url.Values) { q.Del(name) }
	}
	add := func(name string) func(url.Values) {
		return func(q url.Values) { q.Add(name, q.Get(name)) }
	}
	credential := func(i int, part string) func(url.Values) {
		return func(q url.Values) {
			parts := strings.Split(q.Get(paramCredential), "/")
			parts[i] = part
			q.Set(paramCredential, strings.Join(parts, "/"))
		}
	}
	tests := []struct {
		name        string
		change      func(url.Values)
		check, code string
	}{
		{"no algorithm", del(paramAlgorithm), "missing:X-Amz-Algorithm", incomplete},
		{"no credential", del(paramCredential), "missing:X-Amz-Credential", incomplete},
		{"no date", del(paramDate), "missing:X-Amz-Date", incomplete},
		{"no signed headers", del(paramSignedHeaders), "missing:X-Amz-SignedHeaders", incomplete},
		{"no signature", del(paramSignature), "missing:X-Amz-Signature", incomplete},
		{"empty signature", set(paramSignature, ""), "missing:X-Amz-Signature", incomplete},
		{"signature twice", add(paramSignature), "duplicate:X-Amz-Signature", incomplete},
		{"date twice", add(paramDate), "duplicate:X-Amz-Date", incomplete},
		{"token twice", add(paramToken), "duplicate:X-Amz-Security-Token", incomplete},
		{"other algorithm", set(paramAlgorithm, "AWS4-HMAC-SHA512"), "algorithm", incomplete},
		{"a signed header that is absent", set(paramSignedHeaders, "host;x-amz-date"), "signed-headers", invalid},
		{"a signed header in capitals", set(paramSignedHeaders, "Connection;host"), "signed-headers", invalid},
		{"signed headers not sorted", set(paramSignedHeaders, "host;connection"), "signed-headers", invalid},
		{"a signed header twice", set(paramSignedHeaders, "host;host"), "signed-headers", invalid},
		{"an empty signed header", set(paramSignedHeaders, ";host"), "signed-headers", invalid},
		{"host not signed", set(paramSignedHeaders, "connection;x-date"), "signed-headers", invalid},
		{"date not basic", set(paramDate, "2025-01-02T03:04:05Z"), "date", incomplete},
		{"date with a fraction", set(paramDate, "20250102T030405.5Z"), "date", incomplete},
		{"credential of four parts", set(paramCredential, "AKIDEXAMPLE/20250102/us-east-1/aws4_request"), "credential", incomplete},
		{"credential of six parts", credential(0, "AKID/EXAMPLE"), "credential", incomplete},
		{"no key id", credential(0, ""), "credential", incomplete},
		{"scope date differs from date", credential(1, "20250103"), "scope-date", invalid},
		{"no scope date", credential(1, ""), "scope-date", invalid},
		{"other region", credential(2, "eu-west-1"), "region", invalid},
		{"other service", credential(3, "iotdata"), "service", invalid},
		{"other terminator", credential(4, "aws5_request"), "terminator", invalid},
		{"date too old", func(q url.Values) { set(paramDate, "20250102T025904Z")(q) }, "skew", invalid},
		{"date too new", func(q url.Values) { set(paramDate, "20250102T030906Z")(q) }, "skew", invalid},
		{"expires 0", set(paramExpires, "0"), "expires", incomplete},
		{"expires empty", set(paramExpires, ""), "expires", incomplete},
		{"expires negative", set(paramExpires, "-1"), "expires", incomplete},
		{"expires signed", set(paramExpires, "+300"), "expires", incomplete},
		{"expires fraction", set(paramExpires, "1.5"), "expires", incomplete},
		{"expires too long", set(paramExpires, "604801"), "expires", incomplete},
		{"unknown key id", credential(0, "AKIDOTHER"), "access-key", unrecognized},
		{"no token", del(paramToken), "token", unrecognized},
		{"empty token", set(paramToken, ""), "token", unrecognized},
		{"other token", set(paramToken, "other"), "token", unrecognized},
		{"wrong signature", func(q url.Values) { q.Set(paramSignature, flip(q.Get(paramSignature))) }, "signature", invalid},
		{"signature in capitals", func(q url.Values) { q.Set(paramSignature, strings.ToUpper(q.Get(paramSignature))) }, "signature", invalid},
		{"signature truncated", func(q url.Values) { q.Set(paramSignature, q.Get(paramSignature)[:63]) }, "signature", invalid},
		{"date changed", set(paramDate, "20250102T030406Z"), "signature", invalid},
		{"lifetime changed", set(paramExpires, "604800"), "signature", invalid},
		{"lifetime removed", del(paramExpires), "signature", invalid},
		{"parameter added", set("x-amz-customauthorizer-name", "mine"), "signature", invalid},
	}
	g := goldenCase(t, "us-east-1-ats-token")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := request(t, g.URL)
			// The cases of signed headers name headers that the request has, except the absent one.
			r.Header = http.Header{"Connection": {"Upgrade"}, "X-Date": {"today"}, "": {"empty"}}
			q := r.URL.Query()
			test.change(q)
			r.URL.RawQuery = q.Encode()
			e := wantCheck(t, g.verifier(t, 0).Verify(r), test.check, test.code)
			for _, secret := range []string{g.SecretAccessKey, g.SessionToken, g.Signature, q.Get(paramSignature), g.AccessKeyID} {
				if secret != "" && strings.Contains(e.Error(), secret) {
					t.Errorf("the message contains a secret: %s", e.Message)
				}
			}
		})
	}

	other := func(change func(*http.Request), check string) func(*testing.T) {
		return func(t *testing.T) {
			r := request(t, g.URL)
			change(r)
			if check == "query" {
				wantCheck(t, g.verifier(t, 0).Verify(r), check, incomplete)
				return
			}
			wantCheck(t, g.verifier(t, 0).Verify(r), check, invalid)
		}
	}
	t.Run("other host", other(func(r *http.Request) { r.Host = "evil.example" }, "signature"))
	t.Run("other port", other(func(r *http.Request) { r.Host += ":8443" }, "signature"))
	t.Run("other path", other(func(r *http.Request) { r.URL.Path = "/mqtt/" }, "signature"))
	t.Run("other method", other(func(r *http.Request) { r.Method = http.MethodPost }, "signature"))
	t.Run("malformed query", other(func(r *http.Request) { r.URL.RawQuery += "%zz" }, "query"))
}

func TestTokenForLongTermKey(t *testing.T) {
	g := goldenCase(t, "us-east-1-ats")
	err := g.verifier(t, 0).Verify(request(t, g.URL+"&X-Amz-Security-Token=token"))
	wantCheck(t, err, "token", "UnrecognizedClientException")
}

// If a token is not percent-encoded, its + is decoded as a space. Verify then refuses the token.
func TestTokenNotEncoded(t *testing.T) {
	g := goldenCase(t, "us-east-1-ats-token")
	before, _, _ := strings.Cut(g.URL, "&X-Amz-Security-Token=")
	err := g.verifier(t, 0).Verify(request(t, before+"&X-Amz-Security-Token="+g.SessionToken))
	wantCheck(t, err, "token", "UnrecognizedClientException")
}

func TestLifetime(t *testing.T) {
	const messageOld = "Signature expired: 20250102T030405Z is now earlier than 20250102T030406Z (20250102T030906Z - 5 min.)"
	const messageNew = "Signature not yet current: 20250102T030405Z is still later than 20250102T030404Z (20250102T025904Z + 5 min.)"
	const messageEnd = "Signature expired: 20250102T030505Z is now earlier than 20250102T030506Z"
	for _, test := range []struct {
		name, golden   string
		elapsed        time.Duration
		check, message string
	}{
		{"at the signing time", "us-east-1-ats", 0, "", ""},
		{"5 min old", "us-east-1-ats", 5 * time.Minute, "", ""},
		{"5 min and 999 ms old", "us-east-1-ats", 5*time.Minute + 999*time.Millisecond, "", ""},
		{"5 min and 1 s old", "us-east-1-ats", 5*time.Minute + time.Second, "skew", messageOld},
		{"5 min ahead", "us-east-1-ats", -5 * time.Minute, "", ""},
		{"5 min and 1 s ahead", "us-east-1-ats", -5*time.Minute - time.Second, "skew", messageNew},
		{"expires in 300 s, 5 min old", "us-east-1-ats-token", 5 * time.Minute, "", ""},
		{"expires in a day, but 6 min old", "us-east-1-token-special", 6 * time.Minute, "skew", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := goldenCase(t, test.golden)
			err := g.verifier(t, test.elapsed).Verify(request(t, g.URL))
			if test.check == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e := wantCheck(t, err, test.check, "InvalidSignatureException")
			if test.message != "" && e.Message != test.message {
				t.Errorf("message %q, want %q", e.Message, test.message)
			}
		})
	}

	t.Run("expires in 60 s", func(t *testing.T) {
		g := goldenCase(t, "us-east-1-ats-token")
		r := request(t, g.URL)
		q := r.URL.Query()
		q.Set(paramExpires, "60")
		token := q.Get(paramToken)
		signature := credentialScope{date: g.Date[:8], region: g.Region, service: "iotdevicegateway"}.
			sign(g.SecretAccessKey, g.Date, canonicalHandshake(q, r))
		q.Set(paramSignature, signature)
		q.Set(paramToken, token)
		r.URL.RawQuery = q.Encode()
		if err := g.verifier(t, time.Minute).Verify(r); err != nil {
			t.Fatal(err)
		}
		e := wantCheck(t, g.verifier(t, 61*time.Second).Verify(r), "expired", "InvalidSignatureException")
		if e.Message != messageEnd {
			t.Errorf("message %q, want %q", e.Message, messageEnd)
		}
	})
}

func TestCredentialsExpire(t *testing.T) {
	g := goldenCase(t, "us-east-1-ats-token")
	v := g.verifier(t, 0)
	expires := v.Now()
	v.Lookup = func(string) (Key, bool) {
		return Key{Secret: g.SecretAccessKey, SessionToken: g.SessionToken, Expires: expires}, true
	}
	wantCheck(t, v.Verify(request(t, g.URL)), "credentials-expired", "ExpiredTokenException")
	expires = expires.Add(time.Second)
	if err := v.Verify(request(t, g.URL)); err != nil {
		t.Fatal(err)
	}
}

// Verify refuses a query with one changed byte, unless the changed query decodes to the same parameters.
func TestEveryByteCounts(t *testing.T) {
	for _, g := range loadGolden(t) {
		v := g.verifier(t, 0)
		r := request(t, g.URL)
		original, query := r.URL.RawQuery, r.URL.Query()
		for i := range len(original) {
			for _, bit := range []byte{0x01, 0x02, 0x20} {
				changed := []byte(original)
				changed[i] ^= bit
				r.URL.RawQuery = string(changed)
				same := false
				if q, err := url.ParseQuery(r.URL.RawQuery); err == nil {
					same = reflect.DeepEqual(q, query)
				}
				if accepted := v.Verify(r) == nil; accepted != same {
					t.Fatalf("%s: byte %d changed from %q to %q: accepted %v", g.Name, i, original[i], changed[i], accepted)
				}
			}
		}
	}
}

func TestCanonicalQueryOrder(t *testing.T) {
	r := request(t, "wss://h/mqtt?b=2&a1=x&a=y&a-=z&b=1&c&e%20f=%2b~/")
	want := "a=y&a-=z&a1=x&b=1&b=2&c=&e%20f=%2B~%2F"
	if got := strings.Split(canonicalHandshake(r.URL.Query(), r), "\n")[2]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeyPrintsRedacted(t *testing.T) {
	key := Key{Secret: "secret", SessionToken: "token"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, key); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got, _ := json.Marshal(key); string(got) != "{}" {
		t.Errorf("JSON is %s", got)
	}
}

// FuzzVerify checks that Verify refuses every query. No query has a valid signature, because the secret
// of the verifier is random.
func FuzzVerify(f *testing.F) {
	for _, g := range loadGolden(f) {
		_, query, _ := strings.Cut(g.URL, "?")
		f.Add(query)
	}
	f.Add("X-Amz-Date=;&%zz&=&X-Amz-Credential=////")
	g := goldenCase(f, "us-east-1-ats")
	g.SecretAccessKey = rand.Text()
	v := g.verifier(f, 0)
	check := regexp.MustCompile(`(?s)^[a-z]+(-[a-z]+)*(:X-Amz-.*)?$`)
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{Method: http.MethodGet, Host: "localhost:8080", URL: &url.URL{Path: "/mqtt", RawQuery: query}}
		var e *Error
		if err := v.Verify(r); !errors.As(err, &e) {
			t.Fatalf("%q: got %v, want an *Error", query, err)
		} else if !check.MatchString(e.Check) {
			t.Fatalf("%q: check is %q", query, e.Check)
		}
	})
}

func flip(s string) string {
	if s[0] == '0' {
		return "1" + s[1:]
	}
	return "0" + s[1:]
}
