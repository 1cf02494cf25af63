package jobs

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
)

const (
	defaultPageSize = 25
	maxPageSize     = 250
)

// The types in this file have the JSON form of the control API.

// A Job describes a job (API_Job.html).
type Job struct {
	JobSummary
	ForceCanceled     bool           `json:"forceCanceled,omitempty"`
	ReasonCode        string         `json:"reasonCode,omitempty"`
	Comment           string         `json:"comment,omitempty"`
	Targets           []string       `json:"targets"`
	Description       string         `json:"description,omitempty"`
	JobProcessDetails ProcessDetails `json:"jobProcessDetails"`
	TimeoutConfig     *TimeoutConfig `json:"timeoutConfig,omitempty"`
}

// A TimeoutConfig is the timeout of the executions of a job (API_TimeoutConfig.html).
type TimeoutConfig struct {
	InProgressTimeoutInMinutes int64 `json:"inProgressTimeoutInMinutes"`
}

// ProcessDetails counts the executions of a job by status (API_JobProcessDetails.html).
type ProcessDetails struct {
	NumberOfCanceledThings   int `json:"numberOfCanceledThings"`
	NumberOfSucceededThings  int `json:"numberOfSucceededThings"`
	NumberOfFailedThings     int `json:"numberOfFailedThings"`
	NumberOfRejectedThings   int `json:"numberOfRejectedThings"`
	NumberOfQueuedThings     int `json:"numberOfQueuedThings"`
	NumberOfInProgressThings int `json:"numberOfInProgressThings"`
	NumberOfRemovedThings    int `json:"numberOfRemovedThings"`
	NumberOfTimedOutThings   int `json:"numberOfTimedOutThings"`
}

// A JobSummary is an entry in a list of jobs (API_JobSummary.html).
type JobSummary struct {
	JobARN          string    `json:"jobArn"`
	JobID           string    `json:"jobId"`
	TargetSelection string    `json:"targetSelection"`
	Status          JobStatus `json:"status"`
	CreatedAt       Timestamp `json:"createdAt"`
	LastUpdatedAt   Timestamp `json:"lastUpdatedAt"`
	CompletedAt     Timestamp `json:"completedAt,omitempty"`
}

// A JobExecutionSummary describes an execution in a list (API_JobExecutionSummary.html).
type JobExecutionSummary struct {
	Status          Status    `json:"status"`
	QueuedAt        Timestamp `json:"queuedAt"`
	StartedAt       Timestamp `json:"startedAt,omitempty"`
	LastUpdatedAt   Timestamp `json:"lastUpdatedAt"`
	ExecutionNumber int64     `json:"executionNumber"`
}

// A JobExecution describes an execution (API_JobExecution.html).
type JobExecution struct {
	JobID         string         `json:"jobId"`
	ThingARN      string         `json:"thingArn"`
	ForceCanceled bool           `json:"forceCanceled,omitempty"`
	StatusDetails *StatusDetails `json:"statusDetails,omitempty"`
	JobExecutionSummary
	VersionNumber        int64  `json:"versionNumber"`
	SecondsBeforeTimeout *int64 `json:"approximateSecondsBeforeTimedOut,omitempty"`
}

// StatusDetails are the status details of a JobExecution (API_JobExecutionStatusDetails.html).
type StatusDetails struct {
	DetailsMap map[string]string `json:"detailsMap"`
}

// An ExecutionForJob is an entry in a list of the executions of a job (API_JobExecutionSummaryForJob.html).
type ExecutionForJob struct {
	ThingARN            string              `json:"thingArn"`
	JobExecutionSummary JobExecutionSummary `json:"jobExecutionSummary"`
}

// An ExecutionForThing is an entry in a list of the executions of a thing
// (API_JobExecutionSummaryForThing.html).
type ExecutionForThing struct {
	JobID               string              `json:"jobId"`
	JobExecutionSummary JobExecutionSummary `json:"jobExecutionSummary"`
}

func (e *execution) controlSummary() JobExecutionSummary {
	return JobExecutionSummary{
		Status:          e.Status,
		QueuedAt:        Timestamp(e.QueuedAt),
		StartedAt:       Timestamp(e.StartedAt),
		LastUpdatedAt:   Timestamp(e.Updated),
		ExecutionNumber: executionNumber,
	}
}

func (s *Service) summarizeJob(j *job) JobSummary {
	return JobSummary{
		JobARN:          "arn:aws:iot:" + s.options.Region + ":" + s.options.Account + ":job/" + j.ID,
		JobID:           j.ID,
		TargetSelection: j.TargetSelection,
		Status:          j.Status,
		CreatedAt:       Timestamp(j.Created),
		LastUpdatedAt:   Timestamp(j.Updated),
		CompletedAt:     Timestamp(j.Completed),
	}
}

func (s *Service) describeJob(j *job) *Job {
	d := &Job{
		JobSummary:    s.summarizeJob(j),
		ForceCanceled: j.ForceCanceled,
		ReasonCode:    j.ReasonCode,
		Comment:       j.Comment,
		Targets:       slices.Clone(j.Targets),
		Description:   j.Description,
	}
	if j.Timeout != 0 {
		d.TimeoutConfig = &TimeoutConfig{int64(j.Timeout.Minutes())}
	}
	counts := map[Status]*int{
		Queued:     &d.JobProcessDetails.NumberOfQueuedThings,
		InProgress: &d.JobProcessDetails.NumberOfInProgressThings,
		Succeeded:  &d.JobProcessDetails.NumberOfSucceededThings,
		Failed:     &d.JobProcessDetails.NumberOfFailedThings,
		TimedOut:   &d.JobProcessDetails.NumberOfTimedOutThings,
		Rejected:   &d.JobProcessDetails.NumberOfRejectedThings,
		Removed:    &d.JobProcessDetails.NumberOfRemovedThings,
		Canceled:   &d.JobProcessDetails.NumberOfCanceledThings,
	}
	for _, e := range j.executions {
		*counts[e.Status]++
	}
	return d
}

// ListOptions choose the entries of a list. The documentation does not state the order of lists. Here
// jobs are listed from the newest to the oldest, and things by name.
type ListOptions struct {
	Status          string // "": all
	TargetSelection string // "": all; only for List

	// MaxResults is the largest number of entries in a page, 1 to 250. Zero means 25.
	MaxResults int

	// NextToken is "" for the first page, and then that of the previous page.
	NextToken string
}

// ListJobs returns jobs, and the NextToken of the next page, or "" if there is none (API_ListJobs.html).
func (s *Service) ListJobs(o ListOptions) ([]JobSummary, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.begin(); err != nil {
		return nil, "", err
	}
	return page(o, s.sortedJobs(), jobPosition, func(j *job) (JobSummary, bool) {
		return s.summarizeJob(j), (o.Status == "" || o.Status == string(j.Status)) &&
			(o.TargetSelection == "" || o.TargetSelection == j.TargetSelection)
	})
}

// ListExecutionsForJob returns executions of a job, like ListJobs (API_ListJobExecutionsForJob.html).
func (s *Service) ListExecutionsForJob(jobID string, o ListOptions) ([]ExecutionForJob, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, j, err := s.beginJob(jobID)
	if err != nil {
		return nil, "", err
	}
	return page(o, j.sortedThings(), func(thing string) string { return thing }, func(thing string) (ExecutionForJob, bool) {
		e := j.executions[thing]
		return ExecutionForJob{s.thingARN(thing), e.controlSummary()}, o.Status == "" || o.Status == string(e.Status)
	})
}

// ListExecutionsForThing returns executions of a thing, like ListJobs
// (API_ListJobExecutionsForThing.html).
func (s *Service) ListExecutionsForThing(thing string, o ListOptions) ([]ExecutionForThing, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.beginDevice(thing); err != nil {
		return nil, "", err
	}
	list := make([]*job, 0, len(s.byThing[thing]))
	for _, e := range s.byThing[thing] {
		list = append(list, e.job)
	}
	sortJobs(list)
	return page(o, list, jobPosition, func(j *job) (ExecutionForThing, bool) {
		e := j.executions[thing]
		return ExecutionForThing{j.ID, e.controlSummary()}, o.Status == "" || o.Status == string(e.Status)
	})
}

// jobPosition returns the position of a job in a list, a text that grows.
func jobPosition(j *job) string {
	const largest = 1<<63 - 1
	text := strconv.FormatInt(largest-j.Sequence, 36)
	return "0000000000000"[len(text):] + text
}

// page returns a page of a list. position returns a text by which the list is sorted. view returns the
// entry in the page, and whether the options choose it.
func page[T, V any](o ListOptions, list []T, position func(T) string, view func(T) (V, bool)) ([]V, string, error) {
	o.MaxResults = cmp.Or(o.MaxResults, defaultPageSize)
	if o.MaxResults < 1 || o.MaxResults > maxPageSize {
		return nil, "", mismatch(o.MaxResults, "maxResults", "Member must have value between 1 and 250")
	}
	last, err := base64.RawURLEncoding.DecodeString(o.NextToken)
	if err != nil {
		return nil, "", reject(InvalidRequest, "Invalid next token")
	}
	entries := []V{}
	previous := ""
	for _, item := range list {
		entry, chosen := view(item)
		if !chosen || o.NextToken != "" && position(item) <= string(last) {
			continue
		}
		if len(entries) == o.MaxResults {
			return entries, base64.RawURLEncoding.EncodeToString([]byte(previous)), nil
		}
		entries, previous = append(entries, entry), position(item)
	}
	return entries, "", nil
}
