// Package jobs implements the jobs of AWS IoT Core without a protocol: the device API, whose requests and
// answers are the JSON documents that AWS IoT exchanges by MQTT, and the control API, which creates,
// describes and cancels jobs.
//
// The rules come from the AWS IoT Core Developer Guide. Comments name its pages by their file names, for
// example jobs-mqtt-api.html for
// https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html. Pages whose name begins with
// API_ are in the AWS IoT API Reference. Where the documentation leaves a case open, a comment states the
// choice of this package.
package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"iot.wasm/internal/localiot/jsontext"
	"iot.wasm/internal/localiot/store"
)

// Buckets of the store. The key of a job is its id. The key of an execution is thing/jobId.
const (
	jobBucket       = "jobs"
	executionBucket = "job-executions"
)

// Options configure a Service. All members are optional.
type Options struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time

	// Store keeps the jobs and their executions.
	Store *store.DB

	// Region and Account are the parts of ARNs.
	Region, Account string

	// ThingExists reports whether a thing is registered. Only registered things can be targets of new
	// jobs. If ThingExists is nil, all things can.
	ThingExists func(thing string) bool

	// Notify is called with each notification, in the order of the changes. It must not block, and must
	// not call the Service.
	Notify func(Notification)

	// MaxJobs is how many jobs the Service holds at most; 10,000 when zero. For a new job, the Service
	// removes the oldest jobs that are finished.
	MaxJobs int

	// MaxBytes bounds the memory of all jobs and executions, in bytes; 64 MiB when zero. The Service
	// estimates the memory.
	MaxBytes int
}

// A Notification is a message that AWS IoT publishes when the pending executions of a thing change
// (jobs-comm-notifications.html).
type Notification struct {
	Thing    string
	Next     bool // for the topic notify-next, otherwise for notify
	Document []byte
}

// Service holds the jobs and their executions. It is safe for concurrent use. Each change is stored
// before its method returns and before its notifications.
//
// The errors of all methods are of the type *Error.
type Service struct {
	options Options

	mu       sync.Mutex
	jobs     map[string]*job
	pending  map[string][]*execution // by thing: not terminal, in the order of their jobs
	byThing  map[string]map[string]*execution
	bytes    int   // the memory of all jobs and executions
	sequence int64 // of the last job
	deadline int64 // no execution times out before this time, in milliseconds since 1970
}

// New returns a Service with the jobs in Options.Store.
func New(o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notify == nil {
		o.Notify = func(Notification) {}
	}
	o.MaxJobs = cmp.Or(o.MaxJobs, 10_000)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	s := &Service{
		options:  o,
		jobs:     make(map[string]*job),
		pending:  make(map[string][]*execution),
		byThing:  make(map[string]map[string]*execution),
		deadline: math.MaxInt64,
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return s, nil
}

func (s *Service) load() error {
	err := s.options.Store.Load(jobBucket, func(id string, value []byte) error {
		j := &job{ID: id, executions: make(map[string]*execution)}
		if err := json.Unmarshal(value, j); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		s.addJob(j)
		return nil
	})
	if err != nil {
		return err
	}
	err = s.options.Store.Load(executionBucket, func(key string, value []byte) error {
		thing, id, _ := strings.Cut(key, "/")
		e := &execution{job: s.jobs[id], thing: thing}
		if e.job == nil {
			return fmt.Errorf("%s: the job does not exist", key)
		}
		if err := json.Unmarshal(value, e); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.addExecution(e)
		return nil
	})
	for _, list := range s.pending {
		slices.SortFunc(list, func(a, b *execution) int { return cmp.Compare(a.job.Sequence, b.job.Sequence) })
	}
	return err
}

func (s *Service) addJob(j *job) {
	s.jobs[j.ID] = j
	s.bytes += j.memory()
	s.sequence = max(s.sequence, j.Sequence)
}

func (s *Service) addExecution(e *execution) {
	e.job.executions[e.thing] = e
	if s.byThing[e.thing] == nil {
		s.byThing[e.thing] = make(map[string]*execution)
	}
	s.byThing[e.thing][e.job.ID] = e
	s.bytes += e.memory()
	if !e.Status.Terminal() {
		s.pending[e.thing] = append(s.pending[e.thing], e)
	}
	s.schedule(e)
}

// schedule notes when e times out.
func (s *Service) schedule(e *execution) {
	if d := e.deadline(); d != 0 {
		s.deadline = min(s.deadline, d)
	}
}

// removeJob removes a job and its executions.
func (s *Service) removeJob(j *job) {
	delete(s.jobs, j.ID)
	s.bytes -= j.memory()
	for thing, e := range j.executions {
		s.bytes -= e.memory()
		delete(s.byThing[thing], j.ID)
		if len(s.byThing[thing]) == 0 {
			delete(s.byThing, thing)
		}
	}
}

// next returns the next pending execution of a thing, or nil: the first one in progress, or else the
// first one (jobs-mqtt-api.html#mqtt-startnextpendingjobexecution).
func (s *Service) next(thing string) *execution {
	list := s.pending[thing]
	for _, e := range list {
		if e.Status == InProgress {
			return e
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// A transaction is a set of changes that take effect together. Its maps have the new values of jobs and
// executions.
type transaction struct {
	now        int64 // milliseconds since 1970
	jobs       map[*job]*job
	executions map[*execution]*execution
	removed    []*job // finished jobs that make room
}

// begin begins a transaction after it has changed the executions whose timeouts have expired. The caller
// holds s.mu.
func (s *Service) begin() (*transaction, *Error) {
	tx := &transaction{
		now:        s.options.Now().UnixMilli(),
		jobs:       make(map[*job]*job),
		executions: make(map[*execution]*execution),
	}
	if tx.now < s.deadline {
		return tx, nil
	}
	for _, list := range s.pending {
		for _, e := range list {
			if d := e.deadline(); d != 0 && d <= tx.now {
				tx.change(e, TimedOut)
			}
		}
	}
	if err := s.commit(tx); err != nil {
		return nil, err
	}
	s.deadline = math.MaxInt64
	for _, list := range s.pending {
		for _, e := range list {
			s.schedule(e)
		}
	}
	return s.begin()
}

// change returns the new value of an execution, with that status and the next version. The documentation
// states that updates by a device increment the version. Here all changes do.
func (tx *transaction) change(e *execution, status Status) *execution {
	after := *e
	after.Version++
	after.Updated = tx.now
	after.Status = status
	if status == InProgress && after.StartedAt == 0 {
		after.StartedAt = tx.now
	}
	if status.Terminal() {
		after.StepDeadline = 0
	}
	tx.executions[e] = &after
	return &after
}

// changeJob returns the new value of a job.
func (tx *transaction) changeJob(j *job) *job {
	if tx.jobs[j] == nil {
		after := *j
		after.Updated = tx.now
		tx.jobs[j] = &after
	}
	return tx.jobs[j]
}

// complete completes the jobs whose executions are all terminal after tx
// (iot-jobs-lifecycle.html#iot-jobs-states).
func (tx *transaction) complete() {
	touched := make(map[*job]bool)
	for e := range tx.executions {
		touched[e.job] = true
	}
	for j := range touched {
		if status := cmp.Or(tx.jobs[j], j).Status; status != JobInProgress || j.TargetSelection == Continuous {
			continue
		}
		finished := true
		for _, e := range j.executions {
			finished = finished && cmp.Or(tx.executions[e], e).Status.Terminal()
		}
		if finished {
			after := tx.changeJob(j)
			after.Status, after.Completed = JobCompleted, tx.now
		}
	}
}

// commit stores a transaction, lets it take effect, and notifies the things. If it returns an error, the
// transaction has no effect. It returns LimitExceeded if there is no room. The caller holds s.mu.
func (s *Service) commit(tx *transaction) *Error {
	tx.complete()
	var changes []store.Change
	things := make(map[string]bool)
	growth := 0
	for j, after := range tx.jobs {
		changes = append(changes, store.Change{Bucket: jobBucket, Key: j.ID, Value: jsontext.Encode(after)})
		growth += after.memory() - j.memory()
		if s.jobs[j.ID] == nil {
			growth += j.memory()
		}
	}
	for e, after := range tx.executions {
		changes = append(changes, store.Change{Bucket: executionBucket, Key: e.key(), Value: jsontext.Encode(after)})
		growth += after.memory() - e.memory()
		if s.byThing[e.thing][e.job.ID] == nil {
			growth += e.memory()
		}
		things[e.thing] = true
	}
	if !s.makeRoom(tx, growth) {
		return reject(LimitExceeded, "There is no room for this change")
	}
	for _, j := range tx.removed {
		changes = append(changes, store.Change{Bucket: jobBucket, Key: j.ID})
		for _, e := range j.executions {
			changes = append(changes, store.Change{Bucket: executionBucket, Key: e.key()})
		}
	}
	if err := s.options.Store.Apply(changes...); err != nil {
		return reject(InternalError, "An internal error has occurred")
	}
	s.apply(tx, things)
	return nil
}

func (e *execution) key() string { return e.thing + "/" + e.job.ID }

// apply lets a transaction that is stored take effect.
func (s *Service) apply(tx *transaction, things map[string]bool) {
	before := make(map[string]queue)
	for thing := range things {
		before[thing] = s.queue(thing)
	}
	for _, j := range tx.removed {
		s.removeJob(j)
	}
	for j, after := range tx.jobs {
		if s.jobs[j.ID] == nil {
			s.addJob(j)
		}
		s.bytes += after.memory() - j.memory()
		*j = *after
	}
	for e, after := range tx.executions {
		if s.byThing[e.thing][e.job.ID] == nil {
			s.addExecution(e)
		}
		s.bytes += after.memory() - e.memory()
		*e = *after
		s.schedule(e)
	}
	for thing := range things {
		list := slices.DeleteFunc(s.pending[thing], func(e *execution) bool { return e.Status.Terminal() })
		if s.pending[thing] = list; len(list) == 0 {
			delete(s.pending, thing)
		}
		s.notify(thing, before[thing], tx.now)
	}
}

// makeRoom chooses finished jobs that tx removes, the oldest first, and reports whether tx then fits. It
// chooses an eighth more than necessary, so that it need not do it again soon.
func (s *Service) makeRoom(tx *transaction, growth int) bool {
	added := 0
	for j := range tx.jobs {
		if s.jobs[j.ID] == nil {
			added++
		}
	}
	bytes, count := s.bytes+growth, len(s.jobs)+added
	if bytes <= s.options.MaxBytes && count <= s.options.MaxJobs {
		return true
	}
	var finished []*job
	for _, j := range s.jobs {
		if j.finished() && tx.jobs[j] == nil {
			finished = append(finished, j)
		}
	}
	slices.SortFunc(finished, func(a, b *job) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, j := range finished {
		if bytes <= s.options.MaxBytes*7/8 && count <= s.options.MaxJobs*7/8 {
			break
		}
		tx.removed = append(tx.removed, j)
		count--
		bytes -= j.memory()
		for _, e := range j.executions {
			bytes -= e.memory()
		}
	}
	return bytes <= s.options.MaxBytes && count <= s.options.MaxJobs
}

// Tick changes the status of the executions whose timeouts have expired to TIMED_OUT. All other methods
// do this first, so Tick is necessary only to send the notifications in time. AWS IoT changes the status
// up to 60 seconds late (API_iot-jobs-data_JobExecution.html).
func (s *Service) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.begin() // If the change cannot be stored, the next call tries again.
}
