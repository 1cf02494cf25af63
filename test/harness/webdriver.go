package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Driver controls a browser by the commands of WebDriver (https://www.w3.org/TR/webdriver2/). Only one goroutine may
// use it.
type Driver struct {
	patience time.Duration
	current  string // the handle of the window that the commands apply to
	windows  []string

	// send sends a command, and returns the value of the response.
	send func(name string, parameters map[string]any) (json.RawMessage, error)
}

// commands are the commands that a Driver uses. The key is the name in the protocol of Firefox, Marionette; the
// value is the method and the path in the HTTP interface. {id} stands for the parameter id.
var commands = map[string][2]string{
	"CloseWindow":     {http.MethodDelete, "/window"},
	"ElementClick":    {http.MethodPost, "/element/{id}/click"},
	"ElementSendKeys": {http.MethodPost, "/element/{id}/value"},
	"ExecuteScript":   {http.MethodPost, "/execute/sync"},
	"FindElement":     {http.MethodPost, "/element"},
	"GetWindowHandle": {http.MethodGet, "/window"},
	"Navigate":        {http.MethodPost, "/url"},
	"NewSession":      {http.MethodPost, ""},
	"NewWindow":       {http.MethodPost, "/window/new"},
	"PerformActions":  {http.MethodPost, "/actions"},
	"SwitchToWindow":  {http.MethodPost, "/window"},
}

// DriveFirefox starts Firefox and a session of WebDriver. Patience is how long one operation may take.
func DriveFirefox(t *testing.T, patience time.Duration) *Driver {
	t.Helper()
	profile := t.TempDir()
	p := Firefox(t, profile, "--marionette")
	port := p.await(t, patience, func() (string, error) {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err == nil && len(port) == 0 {
			err = errors.New("MarionetteActivePort is empty")
		}
		return string(port), err
	})
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	m := &marionette{conn: c, reader: bufio.NewReader(c), patience: patience}
	if _, err := m.receive(); err != nil { // the server's greeting
		t.Fatal(err)
	}
	d := &Driver{patience: patience, send: m.send}
	d.begin(t, map[string]any{"capabilities": map[string]any{}})
	return d
}

// marionette is a connection to Firefox. A message is its length in bytes, a colon, and JSON.
type marionette struct {
	conn     net.Conn
	reader   *bufio.Reader
	patience time.Duration
	id       int
}

func (m *marionette) receive() (message []byte, err error) {
	_ = m.conn.SetDeadline(time.Now().Add(m.patience))
	length, err := m.reader.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	message = make([]byte, n)
	_, err = io.ReadFull(m.reader, message)
	return message, err
}

func (m *marionette) send(name string, parameters map[string]any) (json.RawMessage, error) {
	m.id++
	command, err := json.Marshal([]any{0, m.id, "WebDriver:" + name, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(command), command); err != nil {
		return nil, err
	}
	message, err := m.receive()
	if err != nil {
		return nil, err
	}
	var response [4]json.RawMessage // 1, the id, the error, the result
	if err := json.Unmarshal(message, &response); err != nil {
		return nil, err
	}
	if string(response[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", name, response[2])
	}
	// Some results are values, and others are objects with the member value.
	var result map[string]json.RawMessage
	if json.Unmarshal(response[3], &result) == nil && result["value"] != nil {
		return result["value"], nil
	}
	return response[3], nil
}

// DriveWebKit starts the MiniBrowser of WebKitGTK and a session of WebDriver. Patience is how long one operation may take.
func DriveWebKit(t *testing.T, patience time.Duration) *Driver {
	t.Helper()
	browser := MiniBrowser(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // WebKitWebDriver itself cannot select a free port
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	p := Start(t, exec.Command(Program(t, "on Debian: apt-get install webkit2gtk-driver", "WebKitWebDriver"), "--port="+port), WebKitEnvironment(t)...)
	p.await(t, patience, func() (string, error) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return "", err
	})
	session := "http://" + address + "/session"
	client := &http.Client{Timeout: patience}
	d := &Driver{patience: patience}
	d.send = func(name string, parameters map[string]any) (json.RawMessage, error) {
		return request(client, session, name, parameters)
	}
	options := map[string]any{"binary": browser, "args": []string{"--automation"}}
	value := d.begin(t, map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"webkitgtk:browserOptions": options}}})
	var created struct{ SessionID string }
	if err := json.Unmarshal(value, &created); err != nil {
		t.Fatal(err)
	}
	session += "/" + created.SessionID
	return d
}

// request sends a command by HTTP.
func request(client *http.Client, session, name string, parameters map[string]any) (json.RawMessage, error) {
	id, _ := parameters["id"].(string)
	body, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	command := commands[name]
	r, err := http.NewRequest(command[0], session+strings.Replace(command[1], "{id}", id, 1), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var result struct{ Value json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&result); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, result.Value)
	}
	return result.Value, nil
}

// begin starts the session. It returns the value of the response.
func (d *Driver) begin(t *testing.T, capabilities map[string]any) (value json.RawMessage) {
	t.Helper()
	value, err := d.send("NewSession", capabilities)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// await repeats an attempt until it succeeds. It fails the test if the program ends first, or after patience.
func (p *Process) await(t *testing.T, patience time.Duration, attempt func() (string, error)) string {
	t.Helper()
	late := time.After(patience)
	for {
		value, err := attempt()
		if err == nil {
			return value
		}
		select {
		case <-time.After(pollInterval):
		case <-p.Ended:
			t.Fatalf("%s has ended: %v\n%s", p.Name, err, &p.Output)
		case <-late:
			t.Fatalf("%s is not ready: %v\n%s", p.Name, err, &p.Output)
		}
	}
}

// pollInterval is the time between two checks of a condition.
const pollInterval = 20 * time.Millisecond
