package sigv4verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	testID     = "ASIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testToken  = "token+/with=special"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func testVerifier() *Verifier {
	return &Verifier{
		Region:  "us-east-1",
		Service: "iotdevicegateway",
		Now:     func() time.Time { return testTime },
		Lookup: func(id string) (Key, bool) {
			switch id {
			case testID:
				return Key{Secret: testSecret, SessionToken: testToken}, true
			case "EXPIRED":
				return Key{Secret: testSecret, Expires: testTime}, true
			}
			return Key{Secret: testSecret}, id == "AKIDEXAMPLE"
		},
	}
}

// signed returns a request that the SDK of AWS has signed. If change is not nil, signed calls it before the
// SDK signs the request.
func signed(t testing.TB, method, target, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	hash := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(hash[:]), "iotdata", "us-east-1", testTime); err != nil {
		t.Fatal(err)
	}
	return r
}

func verifyHeader(r *http.Request, body string) error {
	a, err := ParseHeader(r)
	if err != nil {
		return err
	}
	return testVerifier().VerifyHeader(r, a, []byte(body))
}

// VerifyHeader accepts a request that the SDK of AWS has signed and a server of net/http has received.
func TestHeaderFromSDK(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		change             func(*http.Request)
	}{
		"GET":                {"GET", "/things/lamp/shadow?name=a%20b&x", "", nil},
		"POST":               {"POST", "/things/lamp/shadow", `{"state":{}}`, nil},
		"DELETE":             {"DELETE", "/connections/c", "", nil},
		"encoded path":       {"POST", "/topics/a%2Fb%20c?qos=1&retain=true", "payload", nil},
		"special characters": {"PUT", "/things/a:b_c-d/jobs/$next", "{}", nil},
		"other headers": {"POST", "/topics/a", "x", func(r *http.Request) {
			r.Header.Set("X-Amz-Mqtt5-Correlation-Data", "  a   b ")
			r.Header["X-Amz-Several"] = []string{"1", "2 "}
			r.Header.Set("Content-Type", "application/octet-stream")
		}},
		"hash of the body": {"POST", "/topics/a", "x", func(r *http.Request) {
			hash := sha256.Sum256([]byte("x"))
			r.Header.Set(headerPayloadHash, hex.EncodeToString(hash[:]))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got error
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = verifyHeader(r, string(body))
			}))
			defer s.Close()
			r := signed(t, test.method, s.URL+test.path, test.body, test.change)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got != nil {
				t.Error(got)
			}
		})
	}
}

func TestHeaderRefused(t *testing.T) {
	const (
		incomplete   = "IncompleteSignatureException"
		invalid      = "InvalidSignatureException"
		unrecognized = "UnrecognizedClientException"
	)
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	for name, test := range map[string]struct {
		change      func(*http.Request)
		check, code string
	}{
		"unsigned":                 {header("Authorization"), "missing:Authorization", "MissingAuthenticationTokenException"},
		"two signatures":           {header("Authorization", "AWS4-HMAC-SHA256 a=b", "AWS4-HMAC-SHA256 a=b"), "duplicate:Authorization", incomplete},
		"other algorithm":          {replace("SHA256", "SHA512"), "algorithm", incomplete},
		"basic":                    {header("Authorization", "Basic YTpi"), "algorithm", incomplete},
		"no equal sign":            {replace("Signature=", "Signature:"), "authorization", incomplete},
		"no credential":            {replace("Credential=", "Cred="), "missing:Credential", incomplete},
		"no signed headers":        {replace("SignedHeaders=", "Headers="), "missing:SignedHeaders", incomplete},
		"no signature":             {replace("Signature=", "Sig="), "missing:Signature", incomplete},
		"signature twice":          {replace("Signature=", "Signature=0, Signature="), "duplicate:Signature", incomplete},
		"credential of four parts": {replace("/us-east-1", ""), "credential", incomplete},
		"other terminator":         {replace("aws4_request", "aws5_request"), "terminator", invalid},
		"no date":                  {header("X-Amz-Date"), "missing:X-Amz-Date", incomplete},
		"two dates":                {header("X-Amz-Date", "20260102T030405Z", "20260102T030405Z"), "duplicate:X-Amz-Date", incomplete},
		"other date form":          {header("X-Amz-Date", "2026-01-02"), "date", incomplete},
		"host not signed":          {replace("host;", ""), "signed-headers", invalid},
		"date not signed":          {replace(";x-amz-date", ""), "signed-headers", invalid},
		"absent header":            {replace("host;", "content-md5;host;"), "signed-headers", invalid},
		"other region":             {replace("us-east-1", "eu-west-1"), "region", invalid},
		"other scope date":         {replace("20260102", "20260103"), "scope-date", invalid},
		"too old":                  {header("X-Amz-Date", "20260102T025904Z"), "skew", invalid},
		"too new":                  {header("X-Amz-Date", "20260102T030906Z"), "skew", invalid},
		"unknown key":              {replace(testID, "ASIAOTHER"), "access-key", unrecognized},
		"expired key":              {replace(testID, "EXPIRED"), "credentials-expired", "ExpiredTokenException"},
		"no token":                 {func(r *http.Request) { replace(";x-amz-security-token", "")(r); r.Header.Del(headerToken) }, "token", unrecognized},
		"other token":              {header(headerToken, "other"), "token", unrecognized},
		"token for other key":      {replace(testID, "AKIDEXAMPLE"), "token", unrecognized},
		"two tokens":               {header(headerToken, testToken, testToken), "duplicate:X-Amz-Security-Token", incomplete},
		"other hash":               {header(headerPayloadHash, emptyHash), "payload-hash", invalid},
		"unsigned payload":         {header(headerPayloadHash, "UNSIGNED-PAYLOAD"), "payload-hash", invalid},
		"other body":               {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("other")) }, "signature", invalid},
		"other query":              {func(r *http.Request) { r.URL.RawQuery = "qos=1" }, "signature", invalid},
		"malformed query":          {func(r *http.Request) { r.URL.RawQuery = "%zz" }, "query", incomplete},
		"other path":               {func(r *http.Request) { r.URL.Path = "/topics/b" }, "signature", invalid},
		"other method":             {func(r *http.Request) { r.Method = "PUT" }, "signature", invalid},
		"other host":               {func(r *http.Request) { r.Host = "localhost:1" }, "signature", invalid},
		"other signed header":      {header("Content-Type", "text/plain"), "signature", invalid},
	} {
		t.Run(name, func(t *testing.T) {
			r := signed(t, "POST", "http://localhost:8080/topics/a?qos=0", "payload", func(r *http.Request) {
				r.Header.Set("Content-Type", "application/octet-stream")
			})
			signature := r.Header.Get("Authorization")
			test.change(r)
			body, _ := io.ReadAll(r.Body)
			e := wantCheck(t, verifyHeader(r, string(body)), test.check, test.code)
			_, signature, _ = strings.Cut(signature, "Signature=")
			for _, secret := range []string{testSecret, testToken, testID, signature} {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("the message contains a secret: %s", e.Message)
				}
			}
		})
	}
}

// The error of checkRegion contains the region of the request only if the region has the form of a region
// name. Any other value may be a secret key at the wrong place, and an error must not contain a secret.
func TestRegionInError(t *testing.T) {
	v := testVerifier()
	for region, named := range map[string]bool{"eu-west-1": true, "us-gov-east-1": true, "cn-north-1": true, "ap-southeast-2": true, "wJalrXUtnFEMI": false, "us": false, "": false} {
		e := v.checkRegion(credentialScope{region: region})
		if e == nil || strings.Contains(e.Message, "'"+region+"'") != named || !strings.Contains(e.Message, "'us-east-1'") {
			t.Errorf("%s: %v", region, e)
		}
	}
}

// VerifyHeader also accepts a session token that is not signed. The signers of the AWS CRT can omit the
// token from the signed headers.
func TestHeaderTokenNotSigned(t *testing.T) {
	r, err := http.NewRequest("GET", "http://localhost:8080/endpoint", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret}, r, emptyHash, "iot", "us-east-1", testTime); err != nil {
		t.Fatal(err)
	}
	r.Header.Set(headerToken, testToken)
	if err := verifyHeader(r, ""); err != nil {
		t.Error(err)
	}
}

// FuzzHeader checks that ParseHeader or VerifyHeader refuses every header Authorization with an *Error
// whose fields are set. No header has a valid signature, because the secret of the verifier is random.
func FuzzHeader(f *testing.F) {
	f.Add(signed(f, "GET", "http://localhost:8080/endpoint", "", nil).Header.Get("Authorization"), "20260102T030405Z")
	f.Add("AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/iot/aws4_request,SignedHeaders=host;x-amz-date,Signature=00", "20260102T030405Z")
	f.Add("AWS4-HMAC-SHA256 =,=,,Credential=////,SignedHeaders=;", "")
	v := testVerifier()
	v.Lookup = func(string) (Key, bool) { return Key{Secret: rand.Text(), SessionToken: testToken}, true }
	check := regexp.MustCompile(`^[a-z]+(-[a-z]+)*(:[A-Za-z-]+)?$`)
	f.Fuzz(func(t *testing.T, authorization, date string) {
		r, err := http.NewRequest("GET", "http://localhost:8080/endpoint", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {authorization}, headerDate: {date}, headerToken: {testToken}}
		a, err := ParseHeader(r)
		if err == nil {
			err = v.VerifyHeader(r, a, bytes.Repeat([]byte{0}, 8))
		}
		var e *Error
		if !errors.As(err, &e) || !check.MatchString(e.Check) || e.Code == "" || e.Message == "" {
			t.Fatalf("%q: got %v", authorization, err)
		}
	})
}
