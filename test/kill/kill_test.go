package kill

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/test/harness"
)

// TestKill kills the server under load, and compares its state with what it had acknowledged.
func TestKill(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 0))
	data := t.TempDir()
	a := &acknowledged{queue: make(map[string]bool), jobs: make(map[string]jobState)}
	for round := range *kills + 1 {
		s := harness.Serve(t, "-addr", "127.0.0.1:0", "-data", data)
		a.check(t, s, round)
		if t.Failed() {
			t.Fatalf("after %d kills and %d acknowledgements", round, a.total)
		}
		if round == *kills {
			s.Kill()
			break
		}
		a.run(t, s, 1+random.IntN(400))
	}
	t.Logf("%d kills, %d acknowledgements, nothing lost", *kills, a.total)
}

// check compares the state of a server that has just started with what was acknowledged.
func (a *acknowledged) check(t *testing.T, s *harness.Server, round int) {
	t.Helper()
	settings := s.Settings()
	a.checkQueue(t, &settings, round)
	a.checkRetained(t, &settings)
	a.checkShadow(t, &settings)
	a.checkJobs(t, &settings)
}

// checkQueue receives the messages that were stored for the offline client. Messages that the server had
// not acknowledged may be among them, and after a kill the client may receive a message again.
func (a *acknowledged) checkQueue(t *testing.T, s *harness.Settings, round int) {
	t.Helper()
	c, err := connect(s, "offline", true)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if c.present != (round > 0) {
		t.Fatalf("round %d: Session Present is %v", round, c.present)
	}
	last := [publishers]int{-1, -1}
	receive := func(m *packets.Publish) {
		delete(a.queue, string(m.Payload))
		publisher, n, _ := strings.Cut(string(m.Payload), " ")
		i, _ := strconv.Atoi(publisher)
		number, _ := strconv.Atoi(n)
		if number < last[i] && !m.Duplicate {
			t.Errorf("publisher %d: message %d after message %d", i, number, last[i])
		}
		last[i] = max(last[i], number)
	}
	c.deliver = receive
	if round == 0 {
		if err := c.subscribe("kill/queue"); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(timeout); len(a.queue) > 0; {
		if time.Now().After(deadline) {
			t.Errorf("%d acknowledged messages are lost", len(a.queue))
			return
		}
		if err := c.conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		p, err := c.next()
		if err != nil {
			t.Errorf("%d acknowledged messages are lost: %v", len(a.queue), err)
			return
		}
		if m, ok := p.(*packets.Publish); ok {
			receive(m)
		}
	}
	// The server has then processed the acknowledgements, and sent what it had stored besides.
	if _, err := exchange[*packets.Pingresp](c, packets.PINGREQ, &packets.Pingreq{}); err != nil {
		t.Error(err)
	}
}

func (a *acknowledged) checkRetained(t *testing.T, s *harness.Settings) {
	t.Helper()
	c, err := connect(s, "checker", false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	var found [retained]int
	c.deliver = func(m *packets.Publish) {
		i, _ := strconv.Atoi(m.Topic[len("kill/retained/"):])
		found[i], _ = strconv.Atoi(string(m.Payload))
	}
	for i := range retained {
		if err := c.subscribe(fmt.Sprint("kill/retained/", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exchange[*packets.Pingresp](c, packets.PINGREQ, &packets.Pingreq{}); err != nil {
		t.Fatal(err)
	}
	for i := range retained {
		if found[i] < a.retained[i] {
			t.Errorf("retained message %d has the number %d, and %d was acknowledged", i, found[i], a.retained[i])
		}
		a.retained[i] = max(found[i], a.retained[i])
	}
}

func (a *acknowledged) checkShadow(t *testing.T, s *harness.Settings) {
	t.Helper()
	if a.shadow.Version == 0 {
		return
	}
	c, err := connect(s, "checker", false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	const topic = "$aws/things/" + thing + "/shadow/get"
	for _, suffix := range []string{"/accepted", "/rejected"} {
		if err := c.subscribe(topic + suffix); err != nil {
			t.Fatal(err)
		}
	}
	var shadow struct {
		State   struct{ Reported struct{ N int } }
		Version int
	}
	if err := c.request(topic, map[string]any{}, &shadow); err != nil {
		t.Fatal(err)
	}
	found := shadowState{shadow.Version, shadow.State.Reported.N}
	if found.Version < a.shadow.Version || found.Version == a.shadow.Version && found.N != a.shadow.N {
		t.Errorf("the shadow is %+v, and %+v was acknowledged", found, a.shadow)
	}
	a.shadow = found
}

func (a *acknowledged) checkJobs(t *testing.T, s *harness.Settings) {
	t.Helper()
	c, err := connect(s, "checker", false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	const jobs = "$aws/things/" + thing + "/jobs/"
	if err := c.subscribe(jobs + "+/get/+"); err != nil {
		t.Fatal(err)
	}
	for id, want := range a.jobs {
		var answer struct{ Execution execution }
		err := c.request(jobs+id+"/get", map[string]any{}, &answer)
		var rejected rejection
		if errors.As(err, &rejected) && bytes.Contains(rejected, []byte("TerminalStateReached")) {
			delete(a.jobs, id)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		found := answer.Execution.state()
		if found.Version < want.Version || found.Version == want.Version && want.Version > 1 && found != want {
			t.Errorf("%s is %+v, and %+v was acknowledged", id, found, want)
		}
		if want.Status == "SUCCEEDED" {
			t.Errorf("%s is %+v, and its end was acknowledged", id, found)
		}
		a.jobs[id] = found
	}
}

// createJob creates a job for the thing, after the thing if necessary.
func createJob(s *harness.Settings, id string) error {
	if id == "job-1" {
		if err := s.CreateThing(thing); err != nil {
			return err
		}
	}
	return s.CreateJob(id, thing, `{"operation":"test"}`)
}
