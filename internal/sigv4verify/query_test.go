package sigv4verify

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// presign returns a presigned URL for a WebSocket handshake. The SDK of AWS signs the header Host and all
// headers in header. It also signs the session token, unless token is empty.
func presign(t *testing.T, endpoint, token string, header http.Header) string {
	t.Helper()
	r, err := http.NewRequest("GET", endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	u, _, err := v4.NewSigner().PresignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: token},
		r, emptyHash, "iotdevicegateway", "us-east-1", testTime)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Verify accepts a URL that signs the headers Connection and Host, because the AWS CRT makes such URLs.
func TestSignedConnectionHeader(t *testing.T) {
	results := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		results <- testVerifier().Verify(r)
	}))
	defer s.Close()
	for connection, check := range map[string]string{"Upgrade": "", " Upgrade ": "", "keep-alive, Upgrade": "signature"} {
		q := url.Values{
			paramAlgorithm:     {algorithm},
			paramCredential:    {testID + "/20260102/us-east-1/iotdevicegateway/aws4_request"},
			paramDate:          {"20260102T030405Z"},
			paramSignedHeaders: {"connection;host"},
		}
		host := s.Listener.Addr().String()
		canonical := strings.Join([]string{"GET", "/mqtt", strings.ReplaceAll(q.Encode(), "+", "%20"), "connection:Upgrade", "host:" + host, "", "connection;host", emptyHash}, "\n")
		q.Set(paramSignature, credentialScope{date: "20260102", region: "us-east-1", service: "iotdevicegateway"}.sign(testSecret, "20260102T030405Z", canonical))
		q.Set(paramToken, testToken)
		tcp, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer tcp.Close()
		handshake := []string{"GET /mqtt?" + q.Encode() + " HTTP/1.1", "Host: " + host, "Connection:" + connection,
			"Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""}
		if _, err := tcp.Write([]byte(strings.Join(handshake, "\r\n"))); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(tcp), nil); err != nil {
			t.Fatal(err)
		}
		err = <-results
		if check == "" && err != nil {
			t.Errorf("Connection %q: %v", connection, err)
		} else if check != "" {
			wantCheck(t, err, check, "InvalidSignatureException")
		}
	}
}

// The signature covers every header in X-Amz-SignedHeaders. Verify refuses a request if such a header has
// another value or is absent.
func TestOtherSignedHeaders(t *testing.T) {
	u := presign(t, "http://localhost/mqtt", "", http.Header{"Content-Type": {"text/plain"}, "Content-Md5": {"x"}})
	r := request(t, u+"&X-Amz-Security-Token="+url.QueryEscape(testToken))
	r.Header = http.Header{"Content-Type": {"text/plain"}, "Content-Md5": {"x"}}
	if err := testVerifier().Verify(r); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Md5", "y")
	wantCheck(t, testVerifier().Verify(r), "signature", "InvalidSignatureException")
	r.Header.Del("Content-Md5")
	wantCheck(t, testVerifier().Verify(r), "signed-headers", "InvalidSignatureException")
}

// AWS IoT refuses a session token that is part of the signed query. The error names this mistake.
func TestSignedToken(t *testing.T) {
	r := request(t, presign(t, "http://localhost/mqtt", testToken, nil))
	e := wantCheck(t, testVerifier().Verify(r), "token-signed", "InvalidSignatureException")
	if !strings.Contains(e.Message, "X-Amz-Security-Token") || strings.Contains(e.Message, testToken) {
		t.Errorf("message: %s", e.Message)
	}
	r.URL.RawQuery += "0"
	wantCheck(t, testVerifier().Verify(r), "signature", "InvalidSignatureException")
}
