package tlscert

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func mustLocal(t *testing.T, dir string, hosts []string, now time.Time) *Certificate {
	t.Helper()
	c, err := Local(dir, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// roots returns the CA of a certificate, as a client reads it.
func roots(t *testing.T, c *Certificate) *x509.CertPool {
	t.Helper()
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the file contains no certificate")
	}
	return pool
}

// serveTLS serves requests with a certificate, and returns the port.
func serveTLS(t *testing.T, c *Certificate) (port string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c.TLS}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestHosts(t *testing.T) {
	c := mustLocal(t, t.TempDir(), []string{"Dev.Example", "192.0.2.7", "[2001:db8::1]", "localhost", ""}, time.Now())
	address := "127.0.0.1:" + serveTLS(t, c)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "dev.example", "192.0.2.7", "2001:db8::1"} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots(t, c), ServerName: host})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		conn.Close()
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots(t, c), ServerName: "other.example"}); err == nil {
		t.Error("the certificate is valid for other.example")
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{ServerName: "localhost"}); err == nil {
		t.Error("a client that does not trust the CA accepts the certificate")
	}
}

func TestStoredCertificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	now := time.Now()
	first := mustLocal(t, dir, nil, now)
	ca := roots(t, first)
	same := func(c *Certificate) bool { return bytes.Equal(c.TLS.Certificate[0], first.TLS.Certificate[0]) }
	if c := mustLocal(t, dir, nil, now.Add(lifetime-minRemaining-time.Hour)); !same(c) || !roots(t, c).Equal(ca) {
		t.Error("a valid certificate is replaced")
	}
	for name, info := range map[string]os.FileMode{CAFile: 0o600, serverFile: 0o600} {
		if file, err := os.Stat(filepath.Join(dir, name)); err != nil || file.Mode() != info {
			t.Errorf("%s: %v, %v", name, file.Mode(), err)
		}
	}
	if c := mustLocal(t, dir, []string{"dev.example"}, now); same(c) {
		t.Error("the certificate is kept although it is not valid for a new host")
	}
	first = mustLocal(t, dir, nil, now) // the certificate for dev.example
	if c := mustLocal(t, dir, nil, now.Add(lifetime-minRemaining+time.Hour)); same(c) {
		t.Error("a certificate that expires soon is kept")
	}
	first = mustLocal(t, dir, nil, now)
	if err := os.Remove(filepath.Join(dir, CAFile)); err != nil {
		t.Fatal(err)
	}
	if c := mustLocal(t, dir, nil, now); same(c) {
		t.Error("the certificate is kept although its CA is not known")
	}
	if err := os.WriteFile(filepath.Join(dir, serverFile), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Local(dir, nil, now); err == nil || !strings.Contains(err.Error(), serverFile) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestCertificateInMemory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := mustLocal(t, "", nil, time.Now())
	conn, err := tls.Dial("tcp", "127.0.0.1:"+serveTLS(t, c), &tls.Config{RootCAs: roots(t, c), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if files, err := os.ReadDir(filepath.Dir(c.CAFile)); err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(c.CAFile)); !os.IsNotExist(err) {
		t.Errorf("after Close: %v", err)
	}
}

func TestLoad(t *testing.T) {
	local := mustLocal(t, t.TempDir(), nil, time.Now())
	file := filepath.Join(filepath.Dir(local.CAFile), serverFile)
	c, err := Load(file, file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.TLS.Certificate[0], local.TLS.Certificate[0]) || c.Instructions("https://localhost/") != "" {
		t.Error("the certificate is another one, or has instructions")
	}
	if _, err := Load(file, local.CAFile); err == nil || !strings.Contains(err.Error(), CAFile) {
		t.Errorf("a file without a key: %v", err)
	}
}

// The folder contains one private key only, that of the server.
func TestNoCAKey(t *testing.T) {
	c := mustLocal(t, t.TempDir(), nil, time.Now())
	ca, err := os.ReadFile(c.CAFile)
	if err != nil || bytes.Contains(ca, []byte("PRIVATE")) {
		t.Errorf("%v, %s", err, ca)
	}
	server, err := os.ReadFile(filepath.Join(filepath.Dir(c.CAFile), serverFile))
	if err != nil || bytes.Count(server, []byte("BEGIN PRIVATE KEY")) != 1 || bytes.Count(server, []byte("BEGIN CERTIFICATE")) != 1 {
		t.Errorf("%v", err)
	}
}

// curl and Node, with OpenSSL, accept the CA as Instructions states.
func TestForeignClients(t *testing.T) {
	c := mustLocal(t, t.TempDir(), nil, time.Now())
	for _, host := range []string{"localhost", "127.0.0.1"} {
		url := "https://" + host + ":" + serveTLS(t, c) + "/"
		script := `fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t))`
		for _, command := range [][]string{{"curl", "-sS", "--cacert", c.CAFile, url}, {"node", "-e", script, url}} {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Logf("%s is not installed", command[0])
				continue
			}
			cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+c.CAFile)
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "hello" {
				t.Errorf("%s %s: %v, %s", command[0], url, err, out)
			}
		}
	}
	if text := c.Instructions("https://localhost:1/"); !strings.Contains(text, "NODE_EXTRA_CA_CERTS="+c.CAFile+" ") ||
		!strings.Contains(text, "--cacert "+c.CAFile+" https://localhost:1/") || !strings.Contains(text, c.Fingerprint()) {
		t.Error(text)
	}
}
