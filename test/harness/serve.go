package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveProgram is the program that BuildServe has built.
var serveProgram string

// BuildServe is a Step that builds serve.go, for ServeCommand and Serve.
func BuildServe(dir string) (stop func(), err error) {
	serveProgram = filepath.Join(dir, "serve")
	return nil, Command(Root, "go", "build", "-o", serveProgram, "serve.go")
}

// ServeCommand returns a command that runs serve.go with the arguments.
func ServeCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, serveProgram, args...)
	cmd.Dir = Root
	return cmd
}

// A Server is a running serve.go.
type Server struct {
	URL  string // ends with a slash
	Addr string // host:port

	t   *testing.T
	cmd *exec.Cmd
}

// Serve starts serve.go, and ends it at the end of the test. The server listens on a free
// port, unless the first argument is -addr.
func Serve(t *testing.T, args ...string) *Server {
	t.Helper()
	if len(args) == 0 || args[0] != "-addr" {
		args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	}
	cmd := ServeCommand(context.Background(), args...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, cmd: cmd}
	t.Cleanup(s.Kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("serve.go %v printed nothing: %v", args, err)
	}
	i := strings.Index(line, "http")
	if i < 0 {
		t.Fatalf("the first line of the output of serve.go contains no URL: %q", line)
	}
	s.URL = strings.TrimSpace(line[i:])
	_, addr, _ := strings.Cut(s.URL, "://")
	s.Addr = strings.TrimSuffix(addr, "/")
	return s
}

// PID returns the process id of the server.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Kill ends the server without a graceful shutdown.
func (s *Server) Kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// Interrupt ends the server as Ctrl+C does, and returns its exit code. It fails the test if
// the server has not ended after 10 s.
func (s *Server) Interrupt() (code int) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	if !late.Stop() {
		s.t.Fatal("serve.go did not end within 10 s")
	}
	return s.cmd.ProcessState.ExitCode()
}

// Settings are the part of /local.json that tests use.
type Settings struct {
	Endpoint, Region string
	Credentials      struct{ AccessKeyID, SecretAccessKey string }
	Cognito          struct{ Endpoint, IdentityPoolID string }
}

// Settings reads /local.json.
func (s *Server) Settings() (l Settings) {
	s.t.Helper()
	response, err := http.Get(s.URL + "local.json")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

// Control injects faults into a server with the flag -faults. The package
// internal/localiot describes them.
func (s *Server) Control(faults string) {
	s.t.Helper()
	response, err := http.Post(s.URL+"control", "application/json", strings.NewReader(faults))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		s.t.Fatalf("%s: %s: %s", faults, response.Status, text)
	}
}
