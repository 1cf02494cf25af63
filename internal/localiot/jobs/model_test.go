package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"

	"iot.wasm/internal/localiot/store/storetest"
)

// modelExecution is the state of an execution in the model of a random test.
type modelExecution struct {
	job      string
	status   Status
	version  int64
	deadline int64 // seconds; 0: none
	timeout  int64 // the in-progress timer in seconds; 0: none
}

// model predicts a Service for one thing.
type model struct {
	now        int64
	executions []*modelExecution // in the order of their jobs
}

// pending returns the pending executions, and the next one.
func (m *model) pending() (list []string, next string) {
	for _, status := range []Status{InProgress, Queued} {
		for _, e := range m.executions {
			if e.status == status {
				list = append(list, e.job)
				if next == "" {
					next = e.job
				}
			}
		}
	}
	slices.Sort(list)
	return list, next
}

func (m *model) expire() {
	for _, e := range m.executions {
		if e.status == InProgress && e.deadline != 0 && e.deadline <= m.now {
			e.status, e.version = TimedOut, e.version+1
		}
	}
}

func (m *model) start(e *modelExecution) {
	if e.status == Queued && e.timeout != 0 {
		e.deadline = m.now + e.timeout
	}
	e.status, e.version = InProgress, e.version+1
}

// TestModel compares a Service with a model over random requests. Versions only grow, no execution leaves
// a terminal state, and notify and notify-next are sent if and only if the set of pending executions, or
// the next one, has changed. The Service is loaded from its store at times.
func TestModel(t *testing.T) {
	for seed := range int64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testModel(t, seed) })
	}
}

func testModel(t *testing.T, seed int64) {
	random := rand.New(rand.NewSource(seed))
	db := storetest.Open(t, t.TempDir())
	m := &model{now: 1000}
	var notified []Notification
	open := func() *Service {
		s, err := New(Options{
			Now:    func() time.Time { return time.Unix(m.now, 0) },
			Store:  db,
			Notify: func(n Notification) { notified = append(notified, n) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	for step := range 300 {
		for _, change := range []func(){
			func() {
				m.now += int64(random.Intn(40))
				m.expire()
				s.Tick()
			},
			func() { m.request(t, random, s) },
		} {
			notified = nil
			list, next := m.pending()
			change()
			m.checkNotified(t, step, notified, list, next)
		}
		m.check(t, s)
		if random.Intn(50) == 0 {
			s = open()
			m.check(t, s)
		}
	}
}

// request sends a random request, and predicts its result.
func (m *model) request(t *testing.T, random *rand.Rand, s *Service) {
	statuses := []Status{InProgress, Succeeded, Failed, Rejected}
	switch random.Intn(6) {
	case 0:
		e := &modelExecution{job: fmt.Sprint("job", len(m.executions)), status: Queued, version: 1}
		r := CreateRequest{JobID: e.job, Document: "{}", Targets: []string{"t", "other"}}
		if random.Intn(2) == 0 {
			minutes := int64(1 + random.Intn(3))
			r.InProgressTimeout, e.timeout = &minutes, minutes*60
		}
		if _, err := s.Create(r); err != nil {
			t.Fatal(err)
		}
		m.executions = append(m.executions, e)
	case 1:
		started, err := s.StartNext("t", StartNextRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, next := m.pending()
		if (started == nil) != (next == "") || started != nil && started.JobID != next {
			t.Fatalf("started %v, want %s", started, next)
		}
		for _, e := range m.executions {
			if e.job == next && e.status == Queued {
				m.start(e)
			}
		}
	case 2, 3, 4:
		if len(m.executions) == 0 {
			return
		}
		e := m.executions[max(0, len(m.executions)-1-random.Intn(6))]
		r := UpdateRequest{Status: statuses[random.Intn(len(statuses))], IncludeState: true}
		if random.Intn(4) == 0 {
			version := e.version - int64(random.Intn(2))
			r.ExpectedVersion = &version
		}
		u, err := s.Update("t", e.job, r)
		switch code := codeOf(err); {
		case r.ExpectedVersion != nil && *r.ExpectedVersion != e.version:
			if code != VersionMismatch {
				t.Fatalf("error %v, want VersionMismatch", err)
			}
		case e.status.Terminal():
			if code != InvalidStateTransition {
				t.Fatalf("error %v, want InvalidStateTransition", err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			if m.start(e); r.Status != InProgress {
				e.status = r.Status
			}
			if u.ExecutionState.VersionNumber != e.version || u.ExecutionState.Status != e.status {
				t.Fatalf("state %v, want %v", u.ExecutionState, e)
			}
		}
	case 5:
		if len(m.executions) == 0 {
			return
		}
		e := m.executions[random.Intn(len(m.executions))]
		force := random.Intn(2) == 0
		if _, err := s.Cancel(e.job, CancelRequest{Force: force}); err != nil {
			t.Fatal(err) // The execution on the other thing keeps the job from being COMPLETED.
		}
		if e.status == Queued || e.status == InProgress && force {
			e.status, e.version = Canceled, e.version+1
		}
	}
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// checkNotified checks the notifications to the thing t after one change. list and next are the pending
// executions, and the next one, before the change.
func (m *model) checkNotified(t *testing.T, step int, all []Notification, list []string, next string) {
	t.Helper()
	var got [2]int
	afterList, afterNext := m.pending()
	for _, n := range all {
		switch {
		case n.Thing != "t":
		case n.Next:
			got[1]++
			var document struct{ Execution struct{ JobID string } }
			if err := json.Unmarshal(n.Document, &document); err != nil || document.Execution.JobID != afterNext {
				t.Fatalf("step %d: notify-next %s, want %s", step, n.Document, afterNext)
			}
		default:
			got[0]++
		}
	}
	var want [2]int
	if !slices.Equal(list, afterList) {
		want[0] = 1
	}
	if next != afterNext {
		want[1] = 1
	}
	if got != want {
		t.Fatalf("step %d: %d notifications to notify and notify-next, want %d", step, got, want)
	}
}

// check compares the Service with the model.
func (m *model) check(t *testing.T, s *Service) {
	t.Helper()
	pending, err := s.GetPending("t")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Concat(pending.InProgressJobs, pending.QueuedJobs) {
		got = append(got, e.JobID)
	}
	slices.Sort(got)
	want, next := m.pending()
	if !slices.Equal(got, want) {
		t.Fatalf("pending %v, want %v", got, want)
	}
	described, err := s.Describe("t", Next, DescribeRequest{})
	if err != nil || (described == nil) != (next == "") || described != nil && described.JobID != next {
		t.Fatalf("next %v, %v, want %s", described, err, next)
	}
	for _, e := range m.executions {
		got, err := s.DescribeExecution("t", e.job, nil)
		if err != nil || got.Status != e.status || got.VersionNumber != e.version {
			t.Fatalf("execution %+v, %v, want %+v", got, err, e)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := 0
	for j := range maps.Values(s.jobs) {
		bytes += j.memory()
		for _, e := range j.executions {
			bytes += e.memory()
		}
	}
	if s.bytes != bytes {
		t.Fatalf("%d bytes are counted, want %d", s.bytes, bytes)
	}
}
