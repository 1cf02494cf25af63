package kill

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"iot.wasm/test/harness"
)

const (
	publishers = 2 // that publish to the queue of the offline client
	retained   = 4 // topics with a retained message
	thing      = "crash-test"
)

// acknowledged is what the server has acknowledged.
type acknowledged struct {
	mu sync.Mutex

	queue    map[string]bool // payloads for the offline client that it has not received yet
	next     [publishers]int // the number of the next message of each publisher
	retained [retained]int   // the last number in each retained message
	shadow   shadowState
	jobs     map[string]jobState // executions that the check has not seen in a terminal state
	jobCount int

	count   int           // acknowledgements of this round
	enough  int           // the count at which the server is killed
	reached chan struct{} // closed at this count
	total   int           // acknowledgements of all rounds
}

type shadowState struct{ Version, N int }

type jobState struct {
	Version int
	Status  string
	Step    string
}

// note records an acknowledgement by the function f.
func (a *acknowledged) note(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	a.total++
	if a.count++; a.count == a.enough {
		close(a.reached)
	}
}

// A worker puts load on the server until an error occurs.
type worker func(a *acknowledged, s *harness.Settings) error

func workers() (list []worker) {
	for i := range publishers {
		list = append(list, func(a *acknowledged, s *harness.Settings) error { return a.publishQueue(s, i) })
	}
	return append(list, (*acknowledged).retainFrom, (*acknowledged).updateFrom, (*acknowledged).workFrom)
}

func (a *acknowledged) publishQueue(s *harness.Settings, publisher int) error {
	c, err := connect(s, fmt.Sprint("publisher-", publisher), false)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		n := a.next[publisher] // only this goroutine uses it
		a.next[publisher]++
		payload := fmt.Sprintf("%d %d", publisher, n)
		if err := c.publish("kill/queue", payload, false); err != nil {
			return err
		}
		a.note(func() { a.queue[payload] = true })
	}
}

func (a *acknowledged) retainFrom(s *harness.Settings) error {
	c, err := connect(s, "retainer", false)
	if err != nil {
		return err
	}
	defer c.close()
	last := a.retained
	for i := 0; ; i = (i + 1) % retained {
		last[i]++
		if err := c.publish(fmt.Sprint("kill/retained/", i), strconv.Itoa(last[i]), true); err != nil {
			return err
		}
		a.note(func() { a.retained[i] = last[i] })
	}
}

func (a *acknowledged) updateFrom(s *harness.Settings) error {
	c, err := connect(s, "shadow", false)
	if err != nil {
		return err
	}
	defer c.close()
	const topic = "$aws/things/" + thing + "/shadow/update"
	for _, suffix := range []string{"/accepted", "/rejected"} {
		if err := c.subscribe(topic + suffix); err != nil {
			return err
		}
	}
	for n := a.shadow.N + 1; ; n++ {
		var answer struct{ Version int }
		err := c.request(topic, map[string]any{"state": map[string]any{"reported": map[string]any{"n": n}}}, &answer)
		if err != nil {
			return err
		}
		a.note(func() { a.shadow = shadowState{answer.Version, n} })
	}
}

// execution is the part of the documents of jobs that the test reads.
type execution struct {
	JobID         string `json:"jobId"`
	Status        string
	StatusDetails map[string]string
	VersionNumber int
}

func (e execution) state() jobState {
	return jobState{e.VersionNumber, e.Status, e.StatusDetails["step"]}
}

// workFrom runs jobs: it creates a job if none is pending, starts it, reports three steps, and ends it.
func (a *acknowledged) workFrom(s *harness.Settings) error {
	c, err := connect(s, "worker", false)
	if err != nil {
		return err
	}
	defer c.close()
	const jobs = "$aws/things/" + thing + "/jobs/"
	for _, filter := range []string{"start-next/+", "+/update/+"} {
		if err := c.subscribe(jobs + filter); err != nil {
			return err
		}
	}
	for {
		var next struct{ Execution *execution }
		if err := c.request(jobs+"start-next", map[string]any{}, &next); err != nil {
			return err
		}
		if next.Execution == nil {
			a.jobCount++
			id := fmt.Sprint("job-", a.jobCount)
			if err := createJob(s, id); err != nil {
				return err
			}
			a.note(func() { a.jobs[id] = jobState{Status: "QUEUED"} })
			continue
		}
		e := *next.Execution
		a.note(func() { a.jobs[e.JobID] = e.state() })
		for _, step := range []string{"1", "2", "3", ""} {
			body := map[string]any{"status": "IN_PROGRESS", "statusDetails": map[string]any{"step": step}}
			if step == "" {
				body = map[string]any{"status": "SUCCEEDED", "statusDetails": map[string]any{"step": "done"}}
				step = "done"
			}
			body["includeJobExecutionState"] = true
			var updated struct {
				ExecutionState struct {
					Status        string
					VersionNumber int
				}
			}
			if err := c.request(jobs+e.JobID+"/update", body, &updated); err != nil {
				return err
			}
			state := updated.ExecutionState
			a.note(func() { a.jobs[e.JobID] = jobState{state.VersionNumber, state.Status, step} })
		}
	}
}

// run runs the workers until the server has sent a.enough acknowledgements, kills it, and waits for the
// workers. A worker must not end for another reason than the end of the connection.
func (a *acknowledged) run(t *testing.T, s *harness.Server, enough int) {
	t.Helper()
	settings := s.Settings()
	a.count, a.enough, a.reached = 0, enough, make(chan struct{})
	var wg sync.WaitGroup
	killed := make(chan struct{})
	for _, w := range workers() {
		wg.Go(func() {
			err := w(a, &settings)
			select {
			case <-a.reached:
			default:
				t.Errorf("a worker ended before the server was killed: %v", err)
			}
			var r rejection
			if errors.As(err, &r) {
				t.Error(err)
			}
		})
	}
	go func() {
		wg.Wait()
		close(killed)
	}()
	select {
	case <-a.reached:
	case <-killed:
		t.Fatal("all workers have ended")
	}
	s.Kill()
	wait(t, "end of the workers", killed)
}
