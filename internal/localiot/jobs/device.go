package jobs

import "maps"

// Next stands for the id of the job whose execution is the next pending one.
const Next = "$next"

// Pending are the executions of a thing that are not in a terminal state, in the order of their jobs
// (jobs-mqtt-api.html#mqtt-getpendingjobexecutions).
type Pending struct {
	InProgressJobs []ExecutionSummary `json:"inProgressJobs"`
	QueuedJobs     []ExecutionSummary `json:"queuedJobs"`
}

// GetPending returns the pending executions of a thing. A thing that is not registered has none.
func (s *Service) GetPending(thing string) (*Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.beginDevice(thing); err != nil {
		return nil, err
	}
	inProgress, queued := summaries(s.pending[thing])
	return &Pending{inProgress, queued}, nil
}

// beginDevice begins a transaction of the device API.
func (s *Service) beginDevice(thing string) (*transaction, error) {
	tx, err := s.begin()
	if err == nil {
		err = checkThing(thing)
	}
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// StartNext returns the next pending execution of a thing, or nil if there is none. If the execution is
// QUEUED, StartNext changes it to IN_PROGRESS and sets the status details. If it is IN_PROGRESS, the
// status details are not changed (jobs-mqtt-api.html#mqtt-startnextpendingjobexecution).
//
// The documentation does not state whether a step timer for an execution that is already IN_PROGRESS
// changes the version. Here it sets the timer and changes nothing else.
func (s *Service) StartNext(thing string, r StartNextRequest) (*Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.beginDevice(thing)
	if err != nil {
		return nil, err
	}
	e := s.next(thing)
	if e == nil {
		return nil, nil
	}
	if e.Status == Queued || r.StepTimeout != nil {
		queued := e.Status == Queued
		after := tx.change(e, InProgress)
		if queued {
			if r.StatusDetails != nil {
				after.Details = maps.Clone(r.StatusDetails)
			}
		} else {
			after.Version, after.Updated = e.Version, e.Updated
		}
		after.setStepTimer(r.StepTimeout, tx.now)
		if err := s.commit(tx); err != nil {
			return nil, err
		}
	}
	return e.describe(tx.now, true), nil
}

// setStepTimer sets the step timer to a number of minutes after now. nil does not change it, and -1
// removes it.
func (e *execution) setStepTimer(minutes *int64, now int64) {
	if minutes == nil {
		return
	}
	e.StepDeadline = 0
	if *minutes > 0 {
		e.StepDeadline = now + *minutes*60_000
	}
}

// find returns an execution. number is nil, or the number of the execution.
func (s *Service) find(thing, jobID string, number *int64) (*execution, error) {
	if err := checkID(jobID); err != nil {
		return nil, err
	}
	e := s.byThing[thing][jobID]
	if e == nil || number != nil && *number != executionNumber {
		return nil, reject(NotFound, "Job execution not found for thing %s and job %s", thing, jobID)
	}
	return e, nil
}

// Describe returns an execution that is not in a terminal state
// (jobs-mqtt-api.html#mqtt-describejobexecution). For the job id Next, it returns the next pending
// execution, or nil if there is none. The number of the execution does not matter then.
func (s *Service) Describe(thing, jobID string, r DescribeRequest) (*Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.beginDevice(thing)
	if err != nil {
		return nil, err
	}
	var e *execution
	if jobID == Next {
		if e = s.next(thing); e == nil {
			return nil, nil
		}
	} else if e, err = s.find(thing, jobID, r.ExecutionNumber); err != nil {
		return nil, err
	}
	if e.Status.Terminal() {
		return nil, reject(TerminalStateReached, "Job execution for thing %s and job %s has reached the terminal state %s", thing, jobID, e.Status)
	}
	return e.describe(tx.now, !r.WithoutDocument), nil
}

// Updated is the answer to an update.
type Updated struct {
	ExecutionState *ExecutionState `json:"executionState,omitempty"` // nil if it was not requested
	JobDocument    JobDocument     `json:"jobDocument,omitempty"`    // empty if it was not requested
}

// Update changes the status of an execution (jobs-mqtt-api.html#mqtt-updatejobexecution).
//
// The documentation does not describe these cases. An execution may change from QUEUED to a terminal
// state. Status details replace those before. If an update has a wrong version and the execution is in a
// terminal state, the error is VersionMismatch.
func (s *Service) Update(thing, jobID string, r UpdateRequest) (*Updated, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.beginDevice(thing)
	if err != nil {
		return nil, err
	}
	e, err := s.find(thing, jobID, r.ExecutionNumber)
	if err != nil {
		return nil, err
	}
	var conflict *Error
	if r.ExpectedVersion != nil && *r.ExpectedVersion != e.Version {
		conflict = reject(VersionMismatch, "Expected version %d but the version of the job execution is %d", *r.ExpectedVersion, e.Version)
	} else if e.Status.Terminal() {
		conflict = reject(InvalidStateTransition, "Job execution cannot change from %s to %s", e.Status, r.Status)
	}
	if conflict != nil {
		conflict.ExecutionState = e.state()
		return nil, conflict
	}
	after := tx.change(e, r.Status)
	if r.StatusDetails != nil {
		after.Details = maps.Clone(r.StatusDetails)
	}
	if r.Status == InProgress {
		after.setStepTimer(r.StepTimeout, tx.now)
	}
	if err := s.commit(tx); err != nil {
		return nil, err
	}
	u := new(Updated)
	if r.IncludeState {
		u.ExecutionState = e.state()
	}
	if r.IncludeDocument {
		u.JobDocument = JobDocument(e.job.Document)
	}
	return u, nil
}
