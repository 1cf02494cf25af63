package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// The certificate of -tls is kept with -data. -tls-cert serves a certificate of the user.
func TestTLS(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	data := t.TempDir()
	ca := filepath.Join(data, "tls-ca.pem")
	server := filepath.Join(data, "tls-server.pem")
	var first []byte
	for _, args := range [][]string{{"-tls", "-data", data}, {"-tls", "-data", data}, {"-tls-cert", server, "-tls-key", server}, {"-tls"}} {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := harness.ServeCommand(ctx, append([]string{"-addr", "localhost:0"}, args...)...)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		lines.Scan()
		_, url, ok := strings.Cut(lines.Text(), " is at https://localhost:")
		if !ok {
			t.Fatalf("%v: the first line is %q", args, lines.Text())
		}
		file := ca
		for args[0] == "-tls" && lines.Scan() {
			if _, text, ok := strings.Cut(lines.Text(), "Clients must trust the CA in "); ok {
				file = strings.TrimSuffix(text, ":")
				break
			}
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = pem
		} else if kept := string(pem) == string(first); kept != (len(args) > 1) {
			t.Errorf("%v: the CA is that of the first server: %v", args, kept)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true}
		response, err := (&http.Client{Transport: transport}).Get("https://localhost:" + url + "local.json")
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		var l harness.Settings
		err = json.NewDecoder(response.Body).Decode(&l)
		response.Body.Close()
		if err != nil || l.Endpoint != "wss://localhost:"+url+"mqtt" || response.ProtoMajor != 1 {
			t.Errorf("%v: %s, endpoint %q, %v", args, response.Proto, l.Endpoint, err)
		}
		cancel()
		_ = cmd.Wait()
	}
}
