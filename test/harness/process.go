package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// A Process is a running program together with the programs that it has started.
type Process struct {
	Name   string
	Output Tail
	Ended  chan struct{} // closed when the program has ended
}

// Start starts a program in a process group and a home folder of its own. At the end of the
// test, it ends the whole group.
func Start(t *testing.T, cmd *exec.Cmd, environment ...string) *Process {
	t.Helper()
	p := &Process{Name: filepath.Base(cmd.Path), Ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.Output, &p.Output
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+home, "XDG_RUNTIME_DIR="+home)
	cmd.Env = append(cmd.Env, environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.Ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-p.Ended
	})
	return p
}

// Program returns the path of the first of the named programs that is installed. If none is,
// it fails the test with hint, which describes the installation.
func Program(t *testing.T, hint string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; %s", names[0], hint)
	return ""
}

// Tail is a writer that keeps the last 8 KiB.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

func (w *Tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if extra := len(w.text) - most; extra > 0 {
		w.text = w.text[extra:]
	}
	return len(p), nil
}

func (w *Tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}
