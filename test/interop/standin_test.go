package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"iot.wasm/internal/localiot/tlscert"
	"iot.wasm/test/harness"
)

// A standIn is the running stand-in, with TLS. It contains what the scripts need.
type standIn struct {
	Host            string `json:"host"`
	Port            int    `json:"port"`
	URL             string `json:"url"`
	CA              string `json:"ca"` // PEM
	Region          string `json:"region"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	Cognito         string `json:"cognito"`
	Pool            string `json:"pool"`

	CAFile     string      `json:"caFile"`
	Authorizer *authorizer `json:"authorizer"`

	client *http.Client
}

// start starts the stand-in, which ends at the end of the test.
func start(t *testing.T, args ...string) *standIn {
	t.Helper()
	dir := t.TempDir()
	a := newAuthorizer(t)
	server := harness.Serve(t, append([]string{"-addr", "localhost:0", "-tls", "-data", dir, "-authorizer", a.file}, args...)...)
	s := &standIn{Host: "localhost", Authorizer: a, URL: strings.TrimSuffix(server.URL, "/"), CAFile: filepath.Join(dir, tlscert.CAFile)}
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	s.CA = string(ca)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 10 * time.Second}
	t.Cleanup(s.client.CloseIdleConnections)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if s.Port, err = strconv.Atoi(u.Port()); err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Get(server.URL + "local.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var local harness.Settings
	if err := json.NewDecoder(response.Body).Decode(&local); err != nil {
		t.Fatal(err)
	}
	s.Region = local.Region
	s.AccessKeyID, s.SecretAccessKey = local.Credentials.AccessKeyID, local.Credentials.SecretAccessKey
	s.Cognito, s.Pool = local.Cognito.Endpoint, local.Cognito.IdentityPoolID
	return s
}

// document is a JSON object.
type document = map[string]any

// call sends a signed request to one of AWS's HTTP APIs. A status other than 200 fails the test.
func (s *standIn) call(t *testing.T, service, method, path string, body any) document {
	t.Helper()
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(payload)
	if err := v4.NewSigner().SignHTTP(context.Background(), s.credentials(), r, hex.EncodeToString(hash[:]), service, s.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s: %s", method, path, response.Status, text)
	}
	var answer document
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	return answer
}

// createJob creates a thing and a job for it.
func (s *standIn) createJob(t *testing.T, thing, job string) {
	t.Helper()
	answer := s.call(t, "iot", "POST", "/things/"+thing, document{})
	s.call(t, "iot", "PUT", "/jobs/"+job, document{"targets": []any{answer["thingArn"]}, "document": `{"operation":"install"}`})
}

// reported returns the reported state of a thing's shadow.
func (s *standIn) reported(t *testing.T, thing string) any {
	t.Helper()
	state, _ := s.call(t, "iotdata", "GET", "/things/"+thing+"/shadow", nil)["state"].(document)
	return state["reported"]
}

// succeeded returns how many things have carried out a job with success.
func (s *standIn) succeeded(t *testing.T, job string) any {
	t.Helper()
	description, _ := s.call(t, "iot", "GET", "/jobs/"+job, nil)["job"].(document)
	details, _ := description["jobProcessDetails"].(document)
	return details["numberOfSucceededThings"]
}

// path returns the path of the WebSocket with a signature, as a backend makes it for clients without
// a signer.
func (s *standIn) path(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.URL+"/mqtt", nil)
	if err != nil {
		t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), s.credentials(), r, hex.EncodeToString(empty[:]), "iotdevicegateway", s.Region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(signed, s.URL)
}

func (s *standIn) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey}
}
