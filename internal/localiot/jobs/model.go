package jobs

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// A Status is the state of a job execution (iot-jobs-lifecycle.html#iot-job-execution-states).
type Status string

// The states of a job execution. All except Queued and InProgress are terminal.
const (
	Queued     Status = "QUEUED"
	InProgress Status = "IN_PROGRESS"
	Succeeded  Status = "SUCCEEDED"
	Failed     Status = "FAILED"
	TimedOut   Status = "TIMED_OUT"
	Rejected   Status = "REJECTED"
	Removed    Status = "REMOVED"
	Canceled   Status = "CANCELED"
)

var statuses = []Status{Queued, InProgress, Succeeded, Failed, TimedOut, Rejected, Removed, Canceled}

// Terminal reports whether no state follows s.
func (s Status) Terminal() bool { return s != Queued && s != InProgress }

// A JobStatus is the state of a job (iot-jobs-lifecycle.html#iot-jobs-states).
type JobStatus string

// The states of a job. The Service schedules and deletes no jobs, so it does not use SCHEDULED and
// DELETION_IN_PROGRESS.
const (
	JobInProgress JobStatus = "IN_PROGRESS"
	JobCompleted  JobStatus = "COMPLETED"
	JobCanceled   JobStatus = "CANCELED"
)

// Values of TargetSelection (API_CreateJob.html).
const (
	Snapshot   = "SNAPSHOT"
	Continuous = "CONTINUOUS"
)

// A Timestamp is a time in milliseconds since 1970. Its JSON is the number of seconds with a fraction, as
// in the control API.
type Timestamp int64

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t)/1000, 'f', -1, 64), nil
}

// job is a job. The exported members are stored.
type job struct {
	ID              string        `json:"-"`
	Sequence        int64         // the order of creation among all jobs
	Document        string        // a JSON text
	Targets         []string      // ARNs of things
	Description     string        `json:",omitempty"`
	TargetSelection string        // Snapshot or Continuous
	Timeout         time.Duration `json:",omitempty"` // of an execution that is in progress; 0: none
	Status          JobStatus
	ForceCanceled   bool   `json:",omitempty"`
	Comment         string `json:",omitempty"`
	ReasonCode      string `json:",omitempty"`
	Created         int64  // milliseconds since 1970, as all times here
	Updated         int64
	Completed       int64 `json:",omitempty"` // 0: not completed

	executions map[string]*execution // by thing; never changed
}

// memory estimates how many bytes of memory a job occupies without its executions.
func (j *job) memory() int {
	size := entryMemory + len(j.ID) + len(j.Document) + len(j.Description) + len(j.Comment) + len(j.ReasonCode)
	for _, target := range j.Targets {
		size += 32 + len(target)
	}
	return size
}

// finished reports whether no execution of j can change any more.
func (j *job) finished() bool {
	if j.Status == JobInProgress {
		return false
	}
	for _, e := range j.executions {
		if !e.Status.Terminal() {
			return false
		}
	}
	return true
}

// execution is the execution of a job on a thing. The exported members are stored.
type execution struct {
	job   *job
	thing string

	Status        Status
	Details       map[string]string `json:",omitempty"` // never changed
	ForceCanceled bool              `json:",omitempty"`
	QueuedAt      int64             // milliseconds since 1970, as all times here
	StartedAt     int64             `json:",omitempty"` // 0: not started
	Updated       int64
	StepDeadline  int64 `json:",omitempty"` // when the step timer expires; 0: no step timer
	Version       int64
}

// executionNumber is the number of all executions: the Service does not retry executions.
const executionNumber = 1

// deadline returns when e times out, or 0 if e does not time out. The step timer cannot exceed the
// in-progress timer (jobs-configurations-details.html#job-timeout-timers-works).
func (e *execution) deadline() int64 {
	if e.Status != InProgress {
		return 0
	}
	if e.job.Timeout == 0 {
		return e.StepDeadline
	}
	d := e.StartedAt + e.job.Timeout.Milliseconds()
	if e.StepDeadline != 0 {
		d = min(d, e.StepDeadline)
	}
	return d
}

func (e *execution) memory() int {
	size := entryMemory + len(e.thing)
	for key, value := range e.Details {
		size += 64 + len(key) + len(value)
	}
	return size
}

// entryMemory estimates the memory of a job or an execution without its text, in bytes.
const entryMemory = 512

// An ExecutionState is the state of an execution in answers to updates (API_iot-jobs-data_JobExecutionState.html).
type ExecutionState struct {
	Status        Status            `json:"status"`
	StatusDetails map[string]string `json:"statusDetails,omitempty"`
	VersionNumber int64             `json:"versionNumber"`
}

func (e *execution) state() *ExecutionState {
	return &ExecutionState{e.Status, maps.Clone(e.Details), e.Version}
}

// An ExecutionSummary is an entry in a list of executions of one thing. Times are in seconds since 1970
// (API_iot-jobs-data_JobExecutionSummary.html).
type ExecutionSummary struct {
	JobID           string `json:"jobId"`
	QueuedAt        int64  `json:"queuedAt"`
	StartedAt       int64  `json:"startedAt,omitempty"`
	LastUpdatedAt   int64  `json:"lastUpdatedAt"`
	VersionNumber   int64  `json:"versionNumber"`
	ExecutionNumber int64  `json:"executionNumber"`
}

func (e *execution) summary() ExecutionSummary {
	return ExecutionSummary{
		JobID:           e.job.ID,
		QueuedAt:        e.QueuedAt / 1000,
		StartedAt:       e.StartedAt / 1000,
		LastUpdatedAt:   e.Updated / 1000,
		VersionNumber:   e.Version,
		ExecutionNumber: executionNumber,
	}
}

// A JobDocument is a JSON text. In MQTT messages it is a part of the message; by HTTP it is a string.
type JobDocument string

// MarshalJSON implements json.Marshaler for MQTT messages.
func (d JobDocument) MarshalJSON() ([]byte, error) { return []byte(d), nil }

// An Execution describes the execution of a job. Times are in seconds since 1970
// (API_iot-jobs-data_JobExecution.html).
type Execution struct {
	JobID         string            `json:"jobId"`
	ThingName     string            `json:"thingName,omitempty"`
	Status        Status            `json:"status"`
	StatusDetails map[string]string `json:"statusDetails,omitempty"`
	QueuedAt      int64             `json:"queuedAt"`
	StartedAt     int64             `json:"startedAt,omitempty"`
	LastUpdatedAt int64             `json:"lastUpdatedAt"`

	// SecondsBeforeTimeout is nil if the execution does not time out.
	SecondsBeforeTimeout *int64      `json:"approximateSecondsBeforeTimedOut,omitempty"`
	VersionNumber        int64       `json:"versionNumber"`
	ExecutionNumber      int64       `json:"executionNumber"`
	JobDocument          JobDocument `json:"jobDocument,omitempty"` // empty if it was not requested
}

// describe returns e as it is at a time in milliseconds since 1970.
func (e *execution) describe(now int64, document bool) *Execution {
	d := &Execution{
		JobID:           e.job.ID,
		ThingName:       e.thing,
		Status:          e.Status,
		StatusDetails:   maps.Clone(e.Details),
		QueuedAt:        e.QueuedAt / 1000,
		StartedAt:       e.StartedAt / 1000,
		LastUpdatedAt:   e.Updated / 1000,
		VersionNumber:   e.Version,
		ExecutionNumber: executionNumber,
	}
	if deadline := e.deadline(); deadline != 0 {
		seconds := (deadline - now + 999) / 1000
		d.SecondsBeforeTimeout = &seconds
	}
	if document {
		d.JobDocument = JobDocument(e.job.Document)
	}
	return d
}

// sortedThings returns the things of the executions of j.
func (j *job) sortedThings() []string { return slices.Sorted(maps.Keys(j.executions)) }
