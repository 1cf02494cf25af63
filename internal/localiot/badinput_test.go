package localiot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/iam"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A badRequest is a request that the server must refuse.
type badRequest struct {
	name         string
	method, path string
	body         string
	service      string              // signs for this service in the header Authorization; "" for no signature
	sign         func(*signature)    // changes the signature
	change       func(*http.Request) // changes the signed request
	status       int                 // of the response
	code         string              // the name of the exception
}

// A signature is how a badRequest is signed.
type signature struct {
	key    aws.Credentials
	region string
	at     time.Time
}

// send sends the request, and returns the response and its body.
func (b *badRequest) send(s *testServer) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), b.method, s.url, strings.NewReader(b.body))
	if err != nil {
		s.t.Fatal(err)
	}
	path, query, _ := strings.Cut(b.path, "?")
	r.URL.Opaque = strings.TrimPrefix(s.url, "http:") + path // the form that the signer expects
	r.URL.RawQuery = query
	if b.service != "" {
		o := signature{aws.Credentials{AccessKeyID: s.key.ID, SecretAccessKey: s.key.Secret}, "us-east-1", time.Now()}
		if b.sign != nil {
			b.sign(&o)
		}
		hash := sha256.Sum256([]byte(b.body))
		if err := v4.NewSigner().SignHTTP(context.Background(), o.key, r, hex.EncodeToString(hash[:]), b.service, o.region, o.at); err != nil {
			s.t.Fatal(err)
		}
	}
	r.URL.Opaque = path // is sent as it is
	if b.change != nil {
		b.change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s: %v", b.name, err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s: %v", b.name, err)
	}
	return answer, string(content)
}

// Bad requests at every door of the server get AWS's status and error shape. The server works afterwards.
func TestBadRequests(t *testing.T) {
	s := start(t, Options{Faults: true})
	pool := s.local().Cognito.IdentityPoolID
	expired, err := s.keys.IssueTemporary(time.Now().Add(-time.Minute), iam.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := s.connect("witness", nil) // stays connected
	deep := strings.Repeat(`{"a":`, 50_000)
	large := strings.Repeat("a", 3<<20)
	target := func(operation string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation) }
	}
	atMQTT := func(change func(*local, *time.Time, url.Values)) string {
		l, at, q := s.local(), time.Now(), url.Values{}
		change(&l, &at, q)
		u := sign(t, l, at, 0)
		values := u.Query()
		for name := range q {
			values.Set(name, q.Get(name))
		}
		return "/mqtt?" + values.Encode()
	}

	const invalid, unknown, forged = "InvalidRequestException", "UnknownOperationException", "InvalidSignatureException"
	for _, b := range []badRequest{
		// The HTTP APIs, with a valid signature.
		{name: "shadow, malformed", method: "POST", path: "/things/a/shadow", body: `{"state":`, service: "iotdata", status: 400, code: invalid},
		{name: "shadow, no UTF-8", method: "POST", path: "/things/a/shadow", body: "\x00\xff", service: "iotdata", status: 415, code: "UnsupportedDocumentEncodingException"},
		{name: "shadow, empty", method: "POST", path: "/things/a/shadow", service: "iotdata", status: 400, code: invalid},
		{name: "shadow, deep", method: "POST", path: "/things/a/shadow", body: `{"state":{"desired":` + deep[:8000], service: "iotdata", status: 400, code: invalid},
		{name: "shadow, too deep", method: "POST", path: "/things/a/shadow", body: `{"state":{"desired":` + strings.Repeat(`{"a":`, 9) + "1" + strings.Repeat("}", 9) + "}}", service: "iotdata", status: 400, code: invalid},
		{name: "shadow, large", method: "POST", path: "/things/a/shadow", body: `{"state":{"desired":{"a":"` + large[:9000] + `"}}}`, service: "iotdata", status: 413, code: "RequestEntityTooLargeException"},
		{name: "body, large", method: "POST", path: "/things/a/shadow", body: large, service: "iotdata", status: 413, code: "RequestEntityTooLargeException"},
		{name: "shadow, dots", method: "GET", path: "/things/../shadow", service: "iotdata", status: 400, code: invalid},
		{name: "shadow, encoded dots", method: "POST", path: "/things/..%2F..%2Fetc%2Fpasswd/shadow", body: `{"state":{"desired":{}}}`, service: "iotdata", status: 400, code: invalid},
		{name: "shadow name, dots", method: "GET", path: "/things/a/shadow?name=..%2F..%2Fb", service: "iotdata", status: 400, code: invalid},
		{name: "named shadows, dots", method: "GET", path: "/api/things/shadow/ListNamedShadowsForThing/..", service: "iotdata", status: 400, code: invalid},
		{name: "publish, large", method: "POST", path: "/topics/a", body: large[:128<<10+1], service: "iotdata", status: 413, code: "RequestEntityTooLargeException"},
		{name: "publish, wildcard", method: "POST", path: "/topics/a%2F%2B", service: "iotdata", status: 400, code: invalid},
		{name: "publish, NUL", method: "POST", path: "/topics/a%00", service: "iotdata", status: 400, code: invalid},
		{name: "publish, no UTF-8", method: "POST", path: "/topics/%ff", service: "iotdata", status: 400, code: invalid},
		{name: "publish, QoS", method: "POST", path: "/topics/a?qos=2", service: "iotdata", status: 400, code: invalid},
		{name: "publish, reserved", method: "POST", path: "/topics/$aws%2Fevents%2Fx", service: "iotdata", status: 403, code: "ForbiddenException"},
		{name: "publish, properties", method: "POST", path: "/topics/a", service: "iotdata", status: 400, code: invalid,
			change: func(r *http.Request) { r.Header.Set("x-amz-mqtt5-user-properties", "W3siYSI6") }},
		{name: "retained, missing", method: "GET", path: "/retainedMessage/..%2Fa", service: "iotdata", status: 404, code: "ResourceNotFoundException"},
		{name: "retained, token", method: "GET", path: "/retainedMessage?nextToken=%21", service: "iotdata", status: 400, code: invalid},
		{name: "connection, reserved", method: "DELETE", path: "/connections/$x", service: "iotdata", status: 400, code: invalid},
		{name: "thing, malformed", method: "POST", path: "/things/a", body: `{"attributePayload":`, service: "iot", status: 400, code: invalid},
		{name: "thing, deep", method: "POST", path: "/things/a", body: deep, service: "iot", status: 400, code: invalid},
		{name: "thing, dots", method: "POST", path: "/things/..%2Fa", service: "iot", status: 400, code: invalid},
		{name: "job, malformed", method: "PUT", path: "/jobs/a", body: `[`, service: "iot", status: 400, code: invalid},
		{name: "job, deep", method: "PUT", path: "/jobs/a", body: deep, service: "iot", status: 400, code: invalid},
		{name: "job, dots", method: "PUT", path: "/jobs/..%2Fa", body: `{}`, service: "iot", status: 400, code: invalid},
		{name: "job of a thing, malformed", method: "POST", path: "/things/a/jobs/b", body: `{"status":`, service: "iot-jobs-data", status: 400, code: invalid},
		{name: "job of a thing, dots", method: "GET", path: "/things/..%2Fa/jobs/..", service: "iot-jobs-data", status: 400, code: invalid},
		{name: "policy, malformed", method: "POST", path: "/policies/a", body: `{"policyDocument":"{"}`, service: "iot", status: 400, code: "MalformedPolicyException"},
		{name: "policy, deep", method: "POST", path: "/policies/a", body: deep, service: "iot", status: 400, code: invalid},
		{name: "policy, dots", method: "POST", path: "/policies/..%2Fa", body: `{"policyDocument":"{}"}`, service: "iot", status: 400, code: invalid},
		{name: "unknown path", method: "GET", path: "/nothing", service: "iotdata", status: 404, code: unknown},
		{name: "wrong method", method: "PATCH", path: "/things/a/shadow", service: "iotdata", status: 405, code: "MethodNotAllowedException"},
		{name: "path, not UTF-8", method: "GET", path: "/things/%ff/shadow", service: "iotdata", status: 400, code: invalid},

		// Signatures in headers.
		{name: "unsigned", method: "GET", path: "/things/a/shadow", status: 403, code: "MissingAuthenticationTokenException"},
		{name: "other authorization", method: "GET", path: "/things/a/shadow", status: 403, code: "IncompleteSignatureException",
			change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }},
		{name: "no parameters", method: "GET", path: "/things/a/shadow", status: 403, code: "IncompleteSignatureException",
			change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 ,,=") }},
		{name: "wrong region", method: "GET", path: "/things/a/shadow", service: "iotdata", sign: func(o *signature) { o.region = "eu-west-1" }, status: 403, code: forged},
		{name: "wrong service", method: "GET", path: "/things/a/shadow", service: "s3", status: 403, code: forged},
		{name: "wrong plane", method: "POST", path: "/policies/a", service: "iotdata", status: 403, code: forged},
		{name: "expired signature", method: "GET", path: "/things/a/shadow", service: "iotdata", sign: func(o *signature) { o.at = o.at.Add(-6 * time.Minute) }, status: 403, code: forged},
		{name: "future signature", method: "GET", path: "/things/a/shadow", service: "iotdata", sign: func(o *signature) { o.at = o.at.Add(6 * time.Minute) }, status: 403, code: forged},
		{name: "expired keys", method: "GET", path: "/things/a/shadow", service: "iotdata",
			sign: func(o *signature) {
				o.key = aws.Credentials{AccessKeyID: expired.ID, SecretAccessKey: expired.Secret, SessionToken: expired.SessionToken}
			}, status: 403, code: "ExpiredTokenException"},
		{name: "unknown key", method: "GET", path: "/things/a/shadow", service: "iotdata", sign: func(o *signature) { o.key.AccessKeyID = "AKIAUNKNOWN" }, status: 403, code: "UnrecognizedClientException"},
		{name: "wrong secret", method: "GET", path: "/things/a/shadow", service: "iotdata", sign: func(o *signature) { o.key.SecretAccessKey += "x" }, status: 403, code: forged},
		{name: "changed body", method: "POST", path: "/things/a/shadow", body: `{"state":{"desired":{"a":1}}}`, service: "iotdata", status: 403, code: forged,
			change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"state":{"desired":{"a":2}}}`)) }},

		// Cognito.
		{name: "Cognito, malformed", method: "POST", path: "/cognito", body: `{"IdentityPoolId":`, change: target("GetId"), status: 400, code: "SerializationException"},
		{name: "Cognito, deep", method: "POST", path: "/cognito/", body: `{"Logins":` + deep[:60_000], change: target("GetId"), status: 400, code: "SerializationException"},
		{name: "Cognito, large", method: "POST", path: "/", body: large, change: target("GetId"), status: 413, code: "RequestEntityTooLargeException"},
		{name: "Cognito, no target", method: "POST", path: "/", body: `{}`, status: 400, code: unknown},
		{name: "Cognito, wrong target", method: "POST", path: "/cognito", body: `{}`, change: target("DeleteIdentityPool"), status: 400, code: unknown},
		{name: "Cognito, dots", method: "POST", path: "/cognito", body: `{"IdentityId":"../../etc/passwd"}`, change: target("GetCredentialsForIdentity"), status: 400, code: "InvalidParameterException"},
		{name: "Cognito, other region", method: "POST", path: "/cognito", body: `{"IdentityPoolId":"` + strings.Replace(pool, "us-east-1", "eu-west-1", 1) + `"}`, change: target("GetId"), status: 400, code: "ResourceNotFoundException"},
		{name: "Cognito, wrong method", method: "PUT", path: "/cognito", body: `{}`, change: target("GetId"), status: 405, code: "MethodNotAllowedException"},

		// Faults.
		{name: "control, malformed", method: "POST", path: "/control", body: `{"cut":`, status: 400, code: "InvalidParameterException"},
		{name: "control, unknown", method: "POST", path: "/control", body: `{"explode":true}`, status: 400, code: "InvalidParameterException"},
		{name: "control, deep", method: "POST", path: "/control", body: `{"cut":` + deep[:60_000], status: 400, code: "InvalidParameterException"},
		{name: "control, large", method: "POST", path: "/control", body: `{"cut":"` + large + `"}`, status: 400, code: "InvalidParameterException"},
		{name: "control, wrong method", method: "DELETE", path: "/control", status: 405, code: "MethodNotAllowedException"},

		// WebSocket handshakes.
		{name: "mqtt, unsigned", method: "GET", path: "/mqtt", status: 403, code: "IncompleteSignatureException"},
		{name: "mqtt, malformed query", method: "GET", path: "/mqtt?%zz;&=", status: 403, code: "IncompleteSignatureException"},
		{name: "mqtt, region", method: "GET", path: atMQTT(func(l *local, _ *time.Time, _ url.Values) { l.Region = "eu-west-1" }), status: 403, code: forged},
		{name: "mqtt, expired", method: "GET", path: atMQTT(func(_ *local, at *time.Time, _ url.Values) { *at = at.Add(-6 * time.Minute) }), status: 403, code: forged},
		{name: "mqtt, key", method: "GET", path: atMQTT(func(l *local, _ *time.Time, _ url.Values) { l.Credentials.AccessKeyID = "AKIA" }), status: 403, code: "UnrecognizedClientException"},
		{name: "mqtt, large token", method: "GET", path: atMQTT(func(_ *local, _ *time.Time, q url.Values) { q.Set("X-Amz-Security-Token", large[:30_000]) }), status: 403, code: "UnrecognizedClientException"},
		{name: "mqtt, no handshake", method: "GET", path: atMQTT(func(*local, *time.Time, url.Values) {}), status: 426, code: "UpgradeRequiredException"},
		{name: "mqtt, wrong method", method: "POST", path: "/mqtt", status: 405, code: "MethodNotAllowedException"},
		{name: "mqtt, signed header", method: "GET", path: "/mqtt", service: "iotdevicegateway", status: 404, code: unknown},

		{name: "local job, wrong method", method: "PUT", path: "/local/jobs", body: `{}`, change: asJSON, status: 405, code: "MethodNotAllowedException"},
		{name: "local job, form", method: "POST", path: "/local/jobs", body: `{}`, status: 415, code: "InvalidRequestException"},
		{name: "local job, text", method: "POST", path: "/local/jobs", body: `{}`, change: header("Content-Type", "text/plain"), status: 415, code: "InvalidRequestException"},
		{name: "local job, too large", method: "POST", path: "/local/jobs", body: strings.Repeat(" ", maxLocalJob+1), change: asJSON, status: 413, code: "InvalidRequestException"},
		{name: "local job, no JSON", method: "POST", path: "/local/jobs", body: `{`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, array", method: "POST", path: "/local/jobs", body: `[]`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, two values", method: "POST", path: "/local/jobs", body: `{"targets":["a"],"document":{}}{}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, unknown member", method: "POST", path: "/local/jobs", body: `{"targets":["a"],"document":{},"x":1}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, targets of another type", method: "POST", path: "/local/jobs", body: `{"targets":"a","document":{}}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, no document", method: "POST", path: "/local/jobs", body: `{"targets":["unregistered"]}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, large document", method: "POST", path: "/local/jobs", body: `{"targets":["unregistered"],"document":"` + strings.Repeat("x", 33_000) + `"}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, deep document", method: "POST", path: "/local/jobs", body: `{"targets":["unregistered"],"document":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, no targets", method: "POST", path: "/local/jobs", body: `{"document":{}}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, many targets", method: "POST", path: "/local/jobs", body: `{"targets":["unregistered"` + strings.Repeat(`,"unregistered"`, 100) + `],"document":{}}`, change: asJSON, status: 400, code: "LimitExceededException"},
		{name: "local job, target", method: "POST", path: "/local/jobs", body: `{"targets":["a b"],"document":{}}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, other ARN", method: "POST", path: "/local/jobs", body: `{"targets":["arn:aws:iot:us-east-1:123456789012:thinggroup/a"],"document":{}}`, change: asJSON, status: 400, code: "InvalidRequestException"},
		{name: "local job, id", method: "POST", path: "/local/jobs", body: `{"jobId":"a/b","targets":["unregistered"],"document":{}}`, change: asJSON, status: 400, code: "InvalidRequestException"},

		// Other sites.
		{name: "local job, other port", method: "POST", path: "/local/jobs", body: `{"targets":["unregistered"],"document":{}}`, change: header("Content-Type", "application/json", "Origin", "http://localhost:1"), status: 403, code: "ForbiddenException"},
		{name: "local job, opaque origin", method: "POST", path: "/local/jobs", body: `{}`, change: header("Content-Type", "application/json", "Origin", "null"), status: 403, code: "ForbiddenException"},
		{name: "host", method: "GET", path: "/local.json", change: func(r *http.Request) { r.Host = "evil.example" }, status: 403, code: "ForbiddenException"},
		{name: "origin", method: "POST", path: "/control", body: `{}`, change: func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, status: 403, code: "ForbiddenException"},
	} {
		r, body := b.send(s)
		var got struct {
			Message string
			Type    string `json:"__type"`
		}
		err := json.Unmarshal([]byte(body), &got)
		if err != nil || r.StatusCode != b.status || r.Header.Get("x-amzn-ErrorType") != b.code || got.Message == "" {
			t.Errorf("%s: %d %s, %.300q, want %d %s", b.name, r.StatusCode, r.Header.Get("x-amzn-ErrorType"), body, b.status, b.code)
		}
		if isCognito := strings.HasPrefix(b.name, "Cognito") && b.status != 405; isCognito && got.Type != b.code {
			t.Errorf("%s: the body is %q", b.name, body)
		}
		if strings.Contains(body, "goroutine") || strings.Contains(body, "/internal/") || strings.Contains(body, s.key.Secret) {
			t.Errorf("%s: the body contains internal text: %q", b.name, body)
		}
	}

	if s.things.Exists("unregistered") {
		t.Error("a refused job has registered its target")
	}
	c.Ping()
	if r, body := s.call("iotdata", "POST", "/things/a/shadow", `{"state":{"desired":{}}}`); r.StatusCode != http.StatusOK || !strings.Contains(body, `"version":1`) {
		t.Errorf("after the bad requests: %s %s", r.Status, body)
	}
	s.cognitoKeys("{}")
	s.control(`{}`, 0)
}

// Paths with dots do not leave the folder that the server serves.
func TestStaticDots(t *testing.T) {
	s := start(t, Options{})
	for _, path := range []string{"/../go.mod", "/..%2f..%2fgo.mod", "/%2e%2e/server.go", "/./etc/passwd", "/a/../../../../etc/passwd", "/\\..\\server.go"} {
		b := badRequest{name: path, method: "GET", path: path}
		if r, body := b.send(s); r.StatusCode < 300 || r.StatusCode >= 500 {
			t.Errorf("%s: %s %.100q", path, r.Status, body)
		}
	}
}
