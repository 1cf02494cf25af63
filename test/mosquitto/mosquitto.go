// Package mosquitto starts the broker mosquitto for tests.
package mosquitto

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// A Broker is a running mosquitto. Only this machine can use it.
type Broker struct {
	Address string // host:port for WebSockets
	Socket  string // a Unix socket for MQTT without WebSockets

	cmd *exec.Cmd
	dir string
}

// Start starts a broker on a free port. settings are additional lines of its configuration.
// Start fails if mosquitto is not installed, or is not ready after 30 s.
func Start(settings ...string) (*Broker, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "iot-mosquitto-")
	if err != nil {
		return nil, err
	}
	b := &Broker{Address: fmt.Sprintf("127.0.0.1:%d", port), Socket: filepath.Join(dir, "mqtt"), dir: dir}
	// mosquitto does not start with WebSockets only, so it always has the Unix socket.
	text := fmt.Sprintf("user %s\nlistener 0 %s\nlistener %d 127.0.0.1\nprotocol websockets\n%s\nmax_queued_messages 0\nlog_dest stderr\nlog_type information\n",
		me.Username, b.Socket, port, strings.Join(settings, "\n"))
	if err := b.run(text); err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

func (b *Broker) run(configuration string) error {
	file := filepath.Join(b.dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(configuration), 0o644); err != nil {
		return err
	}
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto" // Debian's path, which is not in a user's PATH
	}
	cmd := exec.Command(path, "-c", file)
	log, err := cmd.StderrPipe() // mosquitto does not buffer it
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w; on Debian: apt-get install mosquitto", err)
	}
	b.cmd = cmd
	defer time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
	lines := bufio.NewScanner(log)
	for output := ""; ; output += lines.Text() + "\n" {
		if !lines.Scan() {
			return fmt.Errorf("mosquitto does not start: %s", output)
		}
		if strings.HasSuffix(lines.Text(), " running") {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return nil
		}
	}
}

// Stop ends the broker and removes its files.
func (b *Broker) Stop() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	}
	_ = os.RemoveAll(b.dir)
}
