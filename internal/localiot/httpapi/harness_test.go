package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/shadow"
	"iot.wasm/internal/sigv4verify"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	testID     = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	limitedID  = "AKIDLIMITED" // may use the topics below public/ and the thing mine only
)

// limited are the permissions of limitedID.
type limited struct{}

func (limited) Allows(action, resource string) bool {
	return strings.HasPrefix(resource, "topic/public/") && action != "iot:RetainPublish" || resource == "thing/mine"
}

// testAPI is an API behind a real listener, with the real shadow service.
type testAPI struct {
	*API
	t         *testing.T
	url       string
	log       *bytes.Buffer
	published []Publication
	messages  testMessages
}

// realShadows implements Shadows without a message broker.
type realShadows struct{ *shadow.Service }

func (s realShadows) Get(thing, name string) ([]byte, error) { return s.Service.Get(thing, name, nil) }
func (s realShadows) Delete(thing, name string) ([]byte, error) {
	return s.Service.Delete(thing, name, nil)
}
func (s realShadows) Update(thing, name string, body []byte) ([]byte, error) {
	updated, err := s.Service.Update(thing, name, body)
	if err != nil {
		return nil, err
	}
	return updated.Accepted, nil
}

func startAPI(t *testing.T) *testAPI {
	t.Helper()
	log := new(bytes.Buffer)
	a := &testAPI{t: t, log: log, API: New(Options{
		Region: "us-east-1",
		Lookup: func(id string) (sigv4verify.Key, bool) {
			return sigv4verify.Key{Secret: testSecret}, id == testID || id == limitedID
		},
		Permissions: func(id string, _ *http.Request) Permissions {
			if id == limitedID {
				return limited{}
			}
			return nil
		},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})}
	a.AddEndpoint()
	shadows, err := shadow.New(shadow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.AddShadows(realShadows{shadows})
	a.AddPublish(func(p Publication) error {
		a.published = append(a.published, p)
		return nil
	})
	a.AddMessages(&a.messages)
	a.Handle(Control, "Panic", "GET /things/{thingName}/panic", func(*Request) (any, error) { panic("secret") })
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

// signedRequest describes a request.
type signedRequest struct {
	method, path, body string
	id                 string // testID when empty
	service            string // iotdata when empty
	region             string // us-east-1 when empty
	at                 time.Time
	header             map[string]string
	change             func(*http.Request) // after signing
}

// response is a response, with its body.
type response struct {
	*http.Response
	body string
}

// send signs and sends a request.
func (a *testAPI) send(q signedRequest) response {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), q.method, a.url+q.path, strings.NewReader(q.body))
	if err != nil {
		a.t.Fatal(err)
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	if q.at.IsZero() {
		q.at = time.Now()
	}
	hash := sha256.Sum256([]byte(q.body))
	key := aws.Credentials{AccessKeyID: or(q.id, testID), SecretAccessKey: testSecret}
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(hash[:]), or(q.service, "iotdata"), or(q.region, "us-east-1"), q.at); err != nil {
		a.t.Fatal(err)
	}
	if q.change != nil {
		q.change(r)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response{answer, string(body)}
}

// want checks that a response is successful, and decodes its body into v, which may be nil.
func (a *testAPI) want(r response, v any) {
	a.t.Helper()
	if r.StatusCode != http.StatusOK || r.Header.Get("x-amzn-RequestId") == "" || r.Header.Get("x-amzn-ErrorType") != "" {
		a.t.Fatalf("got %d %v %s", r.StatusCode, r.Header, r.body)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(r.body), v); err != nil {
			a.t.Fatalf("body %q: %v", r.body, err)
		}
	}
}

// wantError checks the status, the headers and the body of an error, and returns its message.
func (a *testAPI) wantError(r response, status int, code string) string {
	a.t.Helper()
	var body struct{ Message, TraceID string }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil && r.Request.Method != http.MethodHead {
		a.t.Fatalf("body %q: %v", r.body, err)
	}
	h := r.Header
	if r.StatusCode != status || h.Get("x-amzn-ErrorType") != code || h.Get("Content-Type") != "application/json" ||
		r.Request.Method != http.MethodHead && (body.Message == "" || body.TraceID != h.Get("x-amzn-RequestId")) {
		a.t.Errorf("got %d %v %s, want %d %s", r.StatusCode, h, r.body, status, code)
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control") {
			a.t.Errorf("the response has the header %s", name)
		}
	}
	return body.Message
}
