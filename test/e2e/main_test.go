// Package e2e opens the real page, served by the real serve.go, in the system's
// Chromium, and uses it as a person or a script would.
package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const root = "../.."

// serveBinary is serve.go, built once.
var serveBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "iot-serve-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	serveBinary = filepath.Join(dir, "serve")
	build := exec.Command("go", "build", "-o", serveBinary, "serve.go")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build serve.go: %v\n%s", err, out)
		return 1
	}
	if _, err := os.Stat(filepath.Join(root, "www/iot.wasm")); err != nil {
		fmt.Fprintln(os.Stderr, "www/iot.wasm is missing; run: make wasm")
		return 1
	}
	stop, err := startBrowser()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// A server is a running serve.go.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string // with the slash at its end
	addr string
}

// serve starts serve.go on a free port, unless the arguments say which.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	if !strings.HasPrefix(strings.Join(args, " "), "-addr ") {
		args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	}
	cmd := exec.Command(serveBinary, args...)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, cmd: cmd}
	t.Cleanup(s.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("serve.go %v said nothing: %v", args, err)
	}
	i := strings.Index(line, "http://")
	if i < 0 {
		t.Fatalf("the first line names no URL: %q", line)
	}
	s.url = strings.TrimSpace(line[i:])
	s.addr = strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/")
	return s
}

// kill ends the server without a goodbye.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// interrupt ends it as Ctrl+C would, and returns its exit code.
func (s *server) interrupt() int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		s.t.Fatal("serve.go does not stop")
	}
	return s.cmd.ProcessState.ExitCode()
}

type settings struct {
	Endpoint, Region string
	Credentials      struct{ AccessKeyID, SecretAccessKey string }
}

func (s *server) settings() (l settings) {
	s.t.Helper()
	response, err := http.Get(s.url + "local.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}
