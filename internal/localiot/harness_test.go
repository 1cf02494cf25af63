package localiot

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"iot.wasm/internal/localiot/mqtttest"
	"iot.wasm/internal/localiot/web"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/eclipse/paho.golang/packets"
)

// testServer is a Server behind a real listener.
type testServer struct {
	*Server
	t   *testing.T
	url string        // http://127.0.0.1:port
	log *bytes.Buffer // must not be read before Close
}

// start starts a Server, which stops at the end of the test.
func start(t *testing.T, o Options) *testServer {
	t.Helper()
	if o.WWW == nil {
		o.WWW = fstest.MapFS{}
	}
	log := new(bytes.Buffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	return &testServer{Server: s, t: t, url: h.URL, log: log}
}

// local fetches /local.json.
func (s *testServer) local() local {
	s.t.Helper()
	r, err := http.Get(s.url + "/local.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	var l local
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

// sign signs the endpoint of l with the AWS SDK. If expires is zero, the URL has no X-Amz-Expires.
func sign(t *testing.T, l local, at time.Time, expires time.Duration) *url.URL {
	t.Helper()
	endpoint := l.Endpoint
	if expires != 0 {
		endpoint += "?X-Amz-Expires=" + strconv.Itoa(int(expires.Seconds()))
	}
	r, err := http.NewRequest(http.MethodGet, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{
		AccessKeyID:     l.Credentials.AccessKeyID,
		SecretAccessKey: l.Credentials.SecretAccessKey,
	}, r, emptyHash, service, l.Region, at)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens a signed WebSocket.
func (s *testServer) open() *mqtttest.Client {
	s.t.Helper()
	return s.dial(sign(s.t, s.local(), time.Now(), 0))
}

// dial opens a WebSocket at a signed URL.
func (s *testServer) dial(u *url.URL) *mqtttest.Client {
	s.t.Helper()
	return mqtttest.Dial(s.t, u.String())
}

// connect opens a signed WebSocket and sends a CONNECT, which the broker must accept. change may
// modify the CONNECT; it may be nil.
func (s *testServer) connect(id string, change func(*packets.Connect)) (*mqtttest.Client, *packets.Connack) {
	s.t.Helper()
	c := s.open()
	return c, c.MustConnect(id, change)
}

// get fetches a URL and returns the response with its body.
func get(t *testing.T, target string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// wantRefusal checks the status, the headers and the JSON body of a refusal.
func wantRefusal(t *testing.T, r *http.Response, body string, status int, check string) {
	t.Helper()
	var f web.Refusal
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if r.StatusCode != status || f.Check != check || f.Message == "" || f.Code == "" {
		t.Errorf("got %d %s, want %d with check %q", r.StatusCode, body, status, check)
	}
	for name, want := range map[string]string{
		"Content-Type":                  "application/json",
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": "Date, x-amzn-ErrorType",
		"X-Amzn-ErrorType":              f.Code,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := http.ParseTime(r.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
}
