package jobs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/internal/localiot/jsontext"
	"iot.wasm/internal/localiot/store/storetest"
)

func newService(t *testing.T, o Options) *Service {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustCreate(t *testing.T, s *Service, id string, targets ...string) *Job {
	t.Helper()
	j, err := s.Create(CreateRequest{JobID: id, Document: `{"a":"` + strings.Repeat("x", 1000) + `"}`, Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustUpdate(t *testing.T, s *Service, thing, id string, r UpdateRequest) {
	t.Helper()
	if _, err := s.Update(thing, id, r); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	now := time.UnixMilli(1_700_000_000_123)
	db := storetest.Open(t, dir)
	o := Options{Store: db, Now: func() time.Time { return now }, Region: "r", Account: "1"}
	s := newService(t, o)
	minutes := int64(2)
	if _, err := s.Create(CreateRequest{
		JobID: "a", Document: `{"x":[1]}`, Targets: []string{"lamp", "switch"}, Description: "d", InProgressTimeout: &minutes,
	}); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, s, "b", "lamp")
	step := int64(1)
	mustUpdate(t, s, "lamp", "a", UpdateRequest{Status: InProgress, StatusDetails: map[string]string{"k": "v"}, StepTimeout: &step})
	if _, err := s.Cancel("b", CancelRequest{Comment: "c", ReasonCode: "R"}); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		var all []any
		for _, id := range []string{"a", "b"} {
			j, err := s.DescribeJob(id)
			if err != nil {
				t.Fatal(err)
			}
			document, err := s.Document(id)
			if err != nil {
				t.Fatal(err)
			}
			executions, _, err := s.ListExecutionsForJob(id, ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			e, err := s.DescribeExecution("lamp", id, nil)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, j, document, executions, e)
		}
		return string(jsontext.Encode(all))
	}
	want := state()
	db.Close()
	if _, err := s.Create(CreateRequest{JobID: "c", Document: "1", Targets: []string{"lamp"}}); codeOf(err) != InternalError {
		t.Errorf("error %v for a job that cannot be stored", err)
	}
	if _, err := s.Update("lamp", "a", UpdateRequest{Status: Succeeded}); codeOf(err) != InternalError {
		t.Errorf("error %v for an update that cannot be stored", err)
	}
	if got := state(); got != want {
		t.Errorf("changes that were not stored took effect:\n%s\n%s", got, want)
	}

	o.Store = storetest.Open(t, dir)
	s = newService(t, o)
	if got := state(); got != want {
		t.Errorf("loaded\n%s\nwant\n%s", got, want)
	}
	mustCreate(t, s, "c", "lamp")
	list, _, err := s.ListJobs(ListOptions{})
	if err != nil || list[0].JobID != "c" {
		t.Errorf("jobs %v, %v, want c first", list, err)
	}
	// The timer of an execution that was loaded expires.
	now = now.Add(time.Minute)
	s.Tick()
	if e, err := s.DescribeExecution("lamp", "a", nil); err != nil || e.Status != TimedOut {
		t.Errorf("execution %v, %v, want TIMED_OUT", e, err)
	}
}

// Finished jobs make room for new ones. Other jobs do not.
func TestBounds(t *testing.T) {
	for name, o := range map[string]Options{"MaxJobs": {MaxJobs: 16}, "MaxBytes": {MaxBytes: 40_000}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o.Store = storetest.Open(t, dir)
			s := newService(t, o)
			mustCreate(t, s, "active", "lamp")
			for i := range 100 {
				id := fmt.Sprint("job", i)
				mustCreate(t, s, id, "lamp")
				mustUpdate(t, s, "lamp", id, UpdateRequest{Status: Succeeded})
				if s.bytes > s.options.MaxBytes || len(s.jobs) > s.options.MaxJobs {
					t.Fatalf("%d bytes, %d jobs", s.bytes, len(s.jobs))
				}
			}
			if _, err := s.DescribeJob("job0"); codeOf(err) != NotFound {
				t.Errorf("error %v for the oldest finished job", err)
			}
			for _, id := range []string{"active", "job99"} {
				if _, err := s.DescribeJob(id); err != nil {
					t.Error(err)
				}
			}
			n := 0
			for ; n < 1000; n++ {
				_, err := s.Create(CreateRequest{JobID: fmt.Sprint("more", n), Document: strings.Repeat(" ", 1000) + "1", Targets: []string{"lamp"}})
				if err != nil {
					if codeOf(err) != LimitExceeded {
						t.Fatal(err)
					}
					break
				}
			}
			if n < 5 || n > 100 {
				t.Errorf("%d active jobs fit", n)
			}
			jobs, executions := len(s.jobs), len(s.byThing["lamp"])
			o.Store.Close()
			o.Store = storetest.Open(t, dir)
			if s = newService(t, o); len(s.jobs) != jobs || len(s.byThing["lamp"]) != executions {
				t.Errorf("loaded %d jobs and %d executions, want %d and %d", len(s.jobs), len(s.byThing["lamp"]), jobs, executions)
			}
		})
	}
}

// Status details that do not fit are rejected.
func TestMaxBytesOfDetails(t *testing.T) {
	s := newService(t, Options{MaxBytes: 8000})
	mustCreate(t, s, "a", "lamp")
	details := make(map[string]string)
	for i := range 10 {
		details[fmt.Sprint(i)] = strings.Repeat("x", 1000)
	}
	body, _ := json.Marshal(map[string]any{"status": InProgress, "statusDetails": details})
	if _, err := s.Handle(OpUpdate, "lamp", "a", body); codeOf(err) != InternalError {
		t.Errorf("error %v", err)
	}
	mustUpdate(t, s, "lamp", "a", UpdateRequest{Status: InProgress})
}

func TestLists(t *testing.T) {
	s := newService(t, Options{Region: "r", Account: "1"})
	for i := range 60 {
		id := fmt.Sprintf("job%02d", i)
		mustCreate(t, s, id, "lamp", fmt.Sprintf("thing%02d", i))
		if i%2 == 0 {
			mustUpdate(t, s, "lamp", id, UpdateRequest{Status: Succeeded})
		}
		if i < 3 {
			if _, err := s.Cancel(id, CancelRequest{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var things []string
	for i := range 60 {
		things = append(things, fmt.Sprint("t", i))
	}
	mustCreate(t, s, "many", things...)
	all := func(o ListOptions, list func(o ListOptions) ([]string, string, error)) (ids []string, sizes string) {
		for {
			page, next, err := list(o)
			if err != nil {
				t.Fatal(err)
			}
			ids, sizes = append(ids, page...), sizes+fmt.Sprint(len(page), " ")
			if o.NextToken = next; next == "" {
				return ids, sizes
			}
		}
	}
	listJobs := func(o ListOptions) (ids []string, next string, err error) {
		page, next, err := s.ListJobs(o)
		for _, j := range page {
			ids = append(ids, j.JobID)
		}
		return ids, next, err
	}
	ids, sizes := all(ListOptions{}, listJobs)
	if sizes != "25 25 11 " || ids[0] != "many" || ids[1] != "job59" || ids[60] != "job00" {
		t.Errorf("pages %s: %v", sizes, ids)
	}
	if ids, _ := all(ListOptions{Status: "CANCELED"}, listJobs); !slices.Equal(ids, []string{"job02", "job01", "job00"}) {
		t.Errorf("canceled %v", ids)
	}
	if ids, _ := all(ListOptions{TargetSelection: Continuous}, listJobs); len(ids) != 0 {
		t.Errorf("continuous %v", ids)
	}
	ids, sizes = all(ListOptions{MaxResults: 40}, func(o ListOptions) (ids []string, next string, err error) {
		page, next, err := s.ListExecutionsForJob("many", o)
		for _, e := range page {
			ids = append(ids, e.ThingARN)
		}
		return ids, next, err
	})
	if sizes != "40 20 " || ids[0] != "arn:aws:iot:r:1:thing/t0" || !slices.IsSorted(ids) {
		t.Errorf("pages %s: %v", sizes, ids)
	}
	ids, sizes = all(ListOptions{Status: "SUCCEEDED", MaxResults: 20}, func(o ListOptions) (ids []string, next string, err error) {
		page, next, err := s.ListExecutionsForThing("lamp", o)
		for _, e := range page {
			ids = append(ids, e.JobID)
		}
		return ids, next, err
	})
	if sizes != "20 10 " || ids[0] != "job58" || ids[29] != "job00" {
		t.Errorf("pages %s: %v", sizes, ids)
	}
	for _, o := range []ListOptions{{MaxResults: 251}, {MaxResults: -1}, {NextToken: "%"}} {
		if _, _, err := s.ListJobs(o); codeOf(err) != InvalidRequest {
			t.Errorf("%v: error %v", o, err)
		}
	}
	if _, _, err := s.ListExecutionsForJob("none", ListOptions{}); codeOf(err) != NotFound {
		t.Errorf("error %v", err)
	}
}

// Notifications are in the order of the changes, also with concurrent requests.
func TestConcurrency(t *testing.T) {
	var last []byte
	s := newService(t, Options{Notify: func(n Notification) {
		if !n.Next {
			last = n.Document
		}
	}})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 50 {
				id := fmt.Sprintf("%d-%d", worker, i)
				mustCreate(t, s, id, "lamp")
				mustUpdate(t, s, "lamp", id, UpdateRequest{Status: Succeeded})
			}
		})
	}
	wg.Wait()
	var document struct{ Jobs map[string]any }
	if err := json.Unmarshal(last, &document); err != nil || len(document.Jobs) != 0 {
		t.Errorf("the last notification is %s", last)
	}
}

func TestMaxTargets(t *testing.T) {
	s := newService(t, Options{})
	targets := slices.Repeat([]string{"lamp"}, 101)
	if _, err := s.Create(CreateRequest{JobID: "a", Document: "1", Targets: targets}); codeOf(err) != LimitExceeded {
		t.Errorf("error %v", err)
	}
	mustCreate(t, s, "a", targets[1:]...)
}
