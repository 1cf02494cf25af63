package cluster

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A machine holds what the nodes of a cluster share: the folder of their files, and a port
// mapper (epmd) of their own, so that they cannot meet another Erlang node of the machine.
type machine struct {
	t    *testing.T
	dir  string
	libs string // the folder that contains ejabberd's libraries, for ERL_LIBS
	epmd int    // the port of epmd
}

// newMachine starts epmd, and ends it at the end of the test.
func newMachine(t *testing.T) *machine {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/ejabberd-*/ebin")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("ejabberd is not installed; on Debian: apt-get install ejabberd")
	}
	m := &machine{t: t, dir: t.TempDir(), libs: filepath.Dir(filepath.Dir(found[0])), epmd: freePort(t)}
	// Nodes prove to each other that they have the same cookie.
	if err := os.WriteFile(filepath.Join(m.dir, ".erlang.cookie"), []byte(rand.Text()), 0o400); err != nil {
		t.Fatal(err)
	}
	epmd := m.command("epmd", "-port", fmt.Sprint(m.epmd), "-address", "127.0.0.1")
	if err := epmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(epmd) })
	m.await("epmd", func() error {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.epmd))
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	return m
}

// await repeats try until it succeeds. It fails the test after patience.
func (m *machine) await(name string, try func() error) {
	m.t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			m.t.Fatalf("%s: %v", name, err)
		}
	}
}

// command returns a command with the environment of the machine. HOME makes Erlang use the
// machine's cookie.
func (m *machine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "HOME="+m.dir, "ERL_LIBS="+m.libs, fmt.Sprintf("ERL_EPMD_PORT=%d", m.epmd),
		"ERL_CRASH_DUMP_BYTES=0")
	return cmd
}

// erl returns a command that runs an Erlang node. Other machines cannot reach it.
func (m *machine) erl(name string, args ...string) *exec.Cmd {
	return m.command("erl", append([]string{"-noinput", "-sname", name + "@localhost", "-start_epmd", "false",
		"-kernel", "inet_dist_use_interface", "{127,0,0,1}", "+Q", "4096", "+sbwt", "none"}, args...)...)
}

// end ends a program that the test has started, and waits for its end.
func end(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// A node is a running ejabberd that serves MQTT over WebSockets on this machine.
type node struct {
	URL string // ws://…/mqtt

	m     *machine
	name  string // the name of the Erlang node
	http  string // the address of the HTTP listener, without a slash at its end
	cmd   *exec.Cmd
	ready chan struct{} // receives a value each time the listener has started
}

// configuration is the configuration of a node. A page needs the handler of /mqtt and
// mod_mqtt; the test needs the handler of /api and mod_admin_extra (restart_module).
const configuration = `
hosts: [localhost]
loglevel: info
auth_method: [internal]
websocket_origin: [%q]
listen:
  - port: %d
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /mqtt: mod_mqtt
      /api: mod_http_api
api_permissions:
  test:
    from: mod_http_api
    who: all
    what: [list_cluster, register, restart_module]
modules:
  mod_admin_extra: {}
  mod_mqtt: {}
`

// start starts a node that accepts pages of one origin, and waits until it is ready. It kills
// the node at the end of the test.
func (m *machine) start(name, origin string) *node {
	m.t.Helper()
	port := freePort(m.t)
	n := &node{m: m, name: name, http: fmt.Sprintf("http://127.0.0.1:%d", port), URL: fmt.Sprintf("ws://127.0.0.1:%d/mqtt", port)}
	if err := os.WriteFile(n.file(".yml"), fmt.Appendf(nil, configuration, origin, port), 0o600); err != nil {
		m.t.Fatal(err)
	}
	n.run()
	m.t.Cleanup(n.kill)
	return n
}

// file returns the path of a file of the node. The path without a suffix is the folder of its
// database.
func (n *node) file(suffix string) string { return filepath.Join(n.m.dir, n.name+suffix) }

// run runs the node, and waits until it is ready. After kill, it runs the node again with the
// same database and the same address.
func (n *node) run() {
	n.m.t.Helper()
	n.ready = make(chan struct{}, 8)
	n.cmd = n.m.erl(n.name, "-mnesia", "dir", fmt.Sprintf("%q", n.file("")), "-s", "ejabberd")
	n.cmd.Env = append(n.cmd.Env, "EJABBERD_CONFIG_PATH="+n.file(".yml"), "EJABBERD_LOG_PATH="+n.file(".log"))
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		n.m.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.m.t.Fatal(err)
	}
	go n.read(out)
	n.awaitReady()
}

// read reads the log that the node writes to stdout. It logs warnings and errors.
func (n *node) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.Contains(line, "Start accepting TCP connections"):
			n.ready <- struct{}{}
		case strings.Contains(line, "[warning]") || strings.Contains(line, "[error]") || strings.Contains(line, "[critical]"):
			n.m.t.Logf("%s: %s", n.name, line)
		}
	}
	close(n.ready)
}

func (n *node) awaitReady() {
	n.m.t.Helper()
	select {
	case _, ok := <-n.ready:
		if !ok {
			n.m.t.Fatalf("%s has ended", n.name)
		}
	case <-time.After(patience):
		n.m.t.Fatalf("%s is not ready", n.name)
	}
}

// kill ends the node without a graceful shutdown.
func (n *node) kill() {
	end(n.cmd)
	for range n.ready { // the goroutine of read must not log after the end of the test
	}
}

// join makes the node a member of the cluster of another node. It runs "ejabberdctl
// join_cluster" without the shell script ejabberdctl, which only root and the user ejabberd
// can run.
func (n *node) join(other *node) {
	n.m.t.Helper()
	control := n.m.erl("control", "-hidden", "-s", "ejabberd_ctl", "-extra", n.name+"@localhost", "--no-timeout", "join_cluster", other.name+"@localhost")
	if out, err := control.CombinedOutput(); err != nil {
		n.m.t.Fatalf("join_cluster: %v\n%s", err, out)
	}
	n.awaitReady() // the node has started again
}

// awaitMembers waits until the node reports these running nodes of its cluster. The names are
// sorted.
func (n *node) awaitMembers(names ...string) {
	n.m.t.Helper()
	n.m.await("list_cluster", func() error {
		var members []string
		if err := n.call("list_cluster", map[string]string{}, &members); err != nil {
			return err
		}
		if slices.Sort(members); !slices.Equal(members, names) {
			return fmt.Errorf("the members of the cluster are %q, want %q", members, names)
		}
		return nil
	})
}

// call calls a command of ejabberd's HTTP API, and decodes its result into out, unless
// out is nil.
func (n *node) call(command string, arguments map[string]string, out any) error {
	body, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	response, err := http.Post(n.http+"/api/"+command, "application/json", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(command + ": " + response.Status + ": " + string(text))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// upgrade requests a WebSocket for a page of the origin, and returns the HTTP status.
func (n *node) upgrade(t *testing.T, origin string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, n.http+"/mqtt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt"} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
