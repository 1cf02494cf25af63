package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"iot.wasm/internal/localiot/jsontext"
)

// Limits of the control API (API_CreateJob.html, API_CancelJob.html, and "AWS IoT Device Management
// endpoints and quotas" in the AWS General Reference).
const (
	maxDocument   = 32_768 // bytes
	maxText       = 2028   // characters of a description or a comment
	maxReasonCode = 128    // characters
	maxTargets    = 100
)

var (
	controlCharacters = regexp.MustCompile(`\p{C}`)
	validReasonCode   = regexp.MustCompile(`^[\p{Lu}\p{Nd}_]+$`)
)

// A CreateRequest contains the members of a CreateJob request (API_CreateJob.html).
type CreateRequest struct {
	JobID    string
	Document string // a JSON text

	// Targets are ARNs or names of things. AWS IoT accepts only ARNs, also of thing groups.
	Targets     []string
	Description string

	// TargetSelection is Snapshot or Continuous; "" means Snapshot. A continuous job does not complete.
	TargetSelection string

	// InProgressTimeout is how long an execution may be IN_PROGRESS, in minutes; nil: for ever.
	InProgressTimeout *int64
}

// Create creates a job, and an execution with the status QUEUED for each target. It fails with
// AlreadyExists if there is a job with this id.
func (s *Service) Create(r CreateRequest) (*Job, error) {
	targets, err := s.checkCreate(&r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.begin()
	if err != nil {
		return nil, err
	}
	if s.jobs[r.JobID] != nil {
		return nil, reject(AlreadyExists, "Job %s already exists", r.JobID)
	}
	j := &job{
		ID:              r.JobID,
		Sequence:        s.sequence + 1,
		Document:        strings.Clone(r.Document),
		Description:     strings.Clone(r.Description),
		TargetSelection: r.TargetSelection,
		Status:          JobInProgress,
		Created:         tx.now,
		Updated:         tx.now,
		executions:      make(map[string]*execution),
	}
	if r.InProgressTimeout != nil {
		j.Timeout = time.Duration(*r.InProgressTimeout) * time.Minute
	}
	for _, thing := range targets {
		if j.executions[thing] != nil {
			continue
		}
		j.Targets = append(j.Targets, s.thingARN(thing))
		e := &execution{job: j, thing: thing, Status: Queued, QueuedAt: tx.now, Updated: tx.now, Version: 1}
		j.executions[thing] = e
		tx.executions[e] = e
	}
	tx.jobs[j] = j
	if err := s.commit(tx); err != nil {
		return nil, err
	}
	return s.describeJob(j), nil
}

// checkCreate checks a request, sets defaults, and returns the names of the targets.
func (s *Service) checkCreate(r *CreateRequest) (targets []string, _ *Error) {
	if err := checkID(r.JobID); err != nil {
		return nil, err
	}
	r.TargetSelection = cmp.Or(r.TargetSelection, Snapshot)
	switch {
	case r.Document == "":
		return nil, reject(InvalidRequest, "A job needs a document")
	case len(r.Document) > maxDocument:
		return nil, reject(InvalidRequest, "Value at 'document' failed to satisfy constraint: Member must have length less than or equal to %d", maxDocument)
	case !utf8.ValidString(r.Document) || !json.Valid([]byte(r.Document)) || jsontext.Nesting([]byte(r.Document)) > maxNesting:
		// Job documents are JSON documents in UTF-8 (key-concepts-jobs.html).
		return nil, reject(InvalidRequest, "The job document is not valid JSON")
	case r.TargetSelection != Snapshot && r.TargetSelection != Continuous:
		return nil, mismatch(r.TargetSelection, "targetSelection", "Member must satisfy enum value set: [CONTINUOUS, SNAPSHOT]")
	case r.InProgressTimeout != nil && (*r.InProgressTimeout < 1 || *r.InProgressTimeout > maxTimeout):
		return nil, mismatch(*r.InProgressTimeout, "timeoutConfig.inProgressTimeoutInMinutes", "Member must have value between 1 and 10080")
	case len(r.Targets) == 0:
		return nil, reject(InvalidRequest, "Value at 'targets' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(r.Targets) > maxTargets:
		return nil, reject(LimitExceeded, "A job can have at most %d targets", maxTargets)
	}
	if err := checkText("description", r.Description); err != nil {
		return nil, err
	}
	for _, target := range r.Targets {
		thing, isARN := strings.CutPrefix(target, s.thingARN(""))
		if !isARN && strings.HasPrefix(target, "arn:") {
			return nil, mismatch(target, "targets", "Member must be the ARN of a thing in this account and region: "+s.thingARN("<name>"))
		}
		if err := checkThing(thing); err != nil {
			return nil, err
		}
		if s.options.ThingExists != nil && !s.options.ThingExists(thing) {
			return nil, reject(NotFound, "Target %.200s cannot be found", target)
		}
		targets = append(targets, thing)
	}
	return targets, nil
}

func checkText(member, text string) *Error {
	if utf8.RuneCountInString(text) > maxText || controlCharacters.MatchString(text) {
		return reject(InvalidRequest, `Value at '%s' failed to satisfy constraint: `+
			`Member must have length less than or equal to %d and must satisfy regular expression pattern: [^\p{C}]+`, member, maxText)
	}
	return nil
}

func (s *Service) thingARN(thing string) string {
	return fmt.Sprintf("arn:aws:iot:%s:%s:thing/%s", s.options.Region, s.options.Account, thing)
}

// A CancelRequest contains the members of a CancelJob request (API_CancelJob.html).
type CancelRequest struct {
	Comment, ReasonCode string

	// Force also cancels executions that are IN_PROGRESS.
	Force bool
}

// Cancel cancels a job, its executions that are QUEUED, and with Force those that are IN_PROGRESS
// (API_CancelJob.html).
//
// The documentation does not state whether a job can be canceled that is COMPLETED or CANCELED. Here a
// COMPLETED job cannot, and canceling a CANCELED job with Force cancels its remaining executions.
func (s *Service) Cancel(jobID string, r CancelRequest) (*Job, error) {
	if err := checkText("comment", r.Comment); err != nil {
		return nil, err
	}
	if r.ReasonCode != "" && (utf8.RuneCountInString(r.ReasonCode) > maxReasonCode || !validReasonCode.MatchString(r.ReasonCode)) {
		return nil, mismatch(r.ReasonCode, "reasonCode", `Member must satisfy regular expression pattern: [\p{Upper}\p{Digit}_]+`)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, j, err := s.beginJob(jobID)
	if err != nil {
		return nil, err
	}
	if j.Status == JobCompleted {
		return nil, reject(InvalidRequest, "Job %s is in the terminal state %s", jobID, j.Status)
	}
	after := tx.changeJob(j)
	if after.Status != JobCanceled {
		after.Status, after.Completed = JobCanceled, tx.now
	}
	after.Comment = cmp.Or(strings.Clone(r.Comment), after.Comment)
	after.ReasonCode = cmp.Or(strings.Clone(r.ReasonCode), after.ReasonCode)
	after.ForceCanceled = after.ForceCanceled || r.Force
	for _, e := range j.executions {
		switch {
		case e.Status == Queued:
			tx.change(e, Canceled)
		case e.Status == InProgress && r.Force:
			tx.change(e, Canceled).ForceCanceled = true
		}
	}
	if err := s.commit(tx); err != nil {
		return nil, err
	}
	return s.describeJob(j), nil
}

// beginJob begins a transaction of the control API, and returns a job.
func (s *Service) beginJob(jobID string) (*transaction, *job, error) {
	if err := checkID(jobID); err != nil {
		return nil, nil, err
	}
	tx, err := s.begin()
	if err != nil {
		return nil, nil, err
	}
	j := s.jobs[jobID]
	if j == nil {
		return nil, nil, reject(NotFound, "Job %s cannot be found", jobID)
	}
	return tx, j, nil
}

// RemoveThing changes the pending executions of a thing to REMOVED, because the thing was deleted
// (numberOfRemovedThings in API_JobProcessDetails.html).
func (s *Service) RemoveThing(thing string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.begin()
	if err != nil {
		return err
	}
	for _, e := range s.pending[thing] {
		tx.change(e, Removed)
	}
	if err := s.commit(tx); err != nil {
		return err
	}
	return nil
}

// DescribeJob returns a job (API_DescribeJob.html).
func (s *Service) DescribeJob(jobID string) (*Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, j, err := s.beginJob(jobID)
	if err != nil {
		return nil, err
	}
	return s.describeJob(j), nil
}

// Document returns the document of a job (API_GetJobDocument.html).
func (s *Service) Document(jobID string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, j, err := s.beginJob(jobID)
	if err != nil {
		return "", err
	}
	return j.Document, nil
}

// DescribeExecution returns an execution in any state for the control API
// (API_DescribeJobExecution.html). number is nil, or the number of the execution.
func (s *Service) DescribeExecution(thing, jobID string, number *int64) (*JobExecution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.beginDevice(thing)
	if err != nil {
		return nil, err
	}
	e, err := s.find(thing, jobID, number)
	if err != nil {
		return nil, err
	}
	d := &JobExecution{
		JobID:                jobID,
		ThingARN:             s.thingARN(thing),
		StatusDetails:        &StatusDetails{e.describe(tx.now, false).StatusDetails},
		ForceCanceled:        e.ForceCanceled,
		JobExecutionSummary:  e.controlSummary(),
		VersionNumber:        e.Version,
		SecondsBeforeTimeout: e.describe(tx.now, false).SecondsBeforeTimeout,
	}
	if d.StatusDetails.DetailsMap == nil {
		d.StatusDetails = nil
	}
	return d, nil
}

// sortedJobs returns all jobs, the newest first.
func (s *Service) sortedJobs() []*job {
	list := slices.Collect(maps.Values(s.jobs))
	sortJobs(list)
	return list
}

// sortJobs sorts jobs, the newest first.
func sortJobs(list []*job) {
	slices.SortFunc(list, func(a, b *job) int { return cmp.Compare(b.Sequence, a.Sequence) })
}
