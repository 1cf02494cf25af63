package httpapi

import (
	"errors"
	"net/http"

	"iot.wasm/internal/localiot/jobs"
)

// jobExecution is an execution in a response of the jobs data plane, in which the job document is a string
// (API_iot-jobs-data_JobExecution.html).
type jobExecution struct {
	*jobs.Execution
	JobDocument string `json:"jobDocument,omitempty"`
}

// executionResult returns the result of StartNextPendingJobExecution and DescribeJobExecution.
func executionResult(e *jobs.Execution, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	var result struct {
		Execution *jobExecution `json:"execution,omitempty"`
	}
	if e != nil {
		result.Execution = &jobExecution{e, string(e.JobDocument)}
	}
	return result, nil
}

// AddJobsData registers the operations of the jobs data plane.
func (a *API) AddJobsData(s *jobs.Service) {
	a.Handle(JobsData, "GetPendingJobExecutions", "GET /things/{thingName}/jobs",
		jobsDataHandler("iotjobsdata:GetPendingJobExecutions", func(_ *Request, thing string) (any, error) {
			return s.GetPending(thing)
		}))
	a.Handle(JobsData, "StartNextPendingJobExecution", "PUT /things/{thingName}/jobs/$next",
		jobsDataHandler("iotjobsdata:StartNextPendingJobExecution", func(r *Request, thing string) (any, error) {
			request, err := jobs.ParseStartNext(r.Body)
			if err != nil {
				return nil, err
			}
			return executionResult(s.StartNext(thing, request))
		}))
	a.Handle(JobsData, "DescribeJobExecution", "GET /things/{thingName}/jobs/{jobId}",
		jobsDataHandler("iotjobsdata:DescribeJobExecution", func(r *Request, thing string) (any, error) {
			request := jobs.DescribeRequest{}
			if r.Query.Has("includeJobDocument") {
				include, err := r.Bool("includeJobDocument")
				if err != nil {
					return nil, err
				}
				request.WithoutDocument = !include
			}
			var err error
			if request.ExecutionNumber, err = r.optionalInt("executionNumber"); err != nil {
				return nil, err
			}
			return executionResult(s.Describe(thing, r.Name("jobId"), request))
		}))
	a.Handle(JobsData, "UpdateJobExecution", "POST /things/{thingName}/jobs/{jobId}",
		jobsDataHandler("iotjobsdata:UpdateJobExecution", func(r *Request, thing string) (any, error) {
			request, err := jobs.ParseUpdate(r.Body)
			if err != nil {
				return nil, err
			}
			updated, err := s.Update(thing, r.Name("jobId"), request)
			if err != nil {
				return nil, err
			}
			return struct {
				*jobs.Updated
				JobDocument string `json:"jobDocument,omitempty"`
			}{updated, string(updated.JobDocument)}, nil
		}))
}

// jobsDataHandler returns a Handler of an action on the thing in the path.
func jobsDataHandler(action string, operation func(r *Request, thing string) (any, error)) Handler {
	return func(r *Request) (any, error) {
		thing := r.Name("thingName")
		if err := r.Authorize(action, "thing/"+thing); err != nil {
			return nil, err
		}
		result, err := operation(r, thing)
		if err != nil {
			return nil, jobError(err, jobsDataErrors)
		}
		return result, nil
	}
}

// jobException is the exception that stands for a code of the jobs.
type jobException struct {
	status int
	name   string
}

// jobsDataErrors are the exceptions of the jobs data plane (API_iot-jobs-data_UpdateJobExecution.html,
// API_iot-jobs-data_DescribeJobExecution.html). The documentation does not state the exception of
// VersionMismatch. Here it is the one with the status 409.
var jobsDataErrors = map[jobs.Code]jobException{
	jobs.InvalidJSON:            {http.StatusBadRequest, "InvalidRequestException"},
	jobs.InvalidRequest:         {http.StatusBadRequest, "InvalidRequestException"},
	jobs.NotFound:               {http.StatusNotFound, "ResourceNotFoundException"},
	jobs.InvalidStateTransition: {http.StatusConflict, "InvalidStateTransitionException"},
	jobs.VersionMismatch:        {http.StatusConflict, "InvalidStateTransitionException"},
	jobs.TerminalStateReached:   {http.StatusGone, "TerminalStateException"},
	jobs.LimitExceeded:          {http.StatusServiceUnavailable, "ServiceUnavailableException"},
	jobs.InternalError:          {http.StatusServiceUnavailable, "ServiceUnavailableException"},
}

// jobError converts an error of the jobs.
func jobError(err error, exceptions map[jobs.Code]jobException) error {
	var e *jobs.Error
	if !errors.As(err, &e) {
		return err
	}
	exception, ok := exceptions[e.Code]
	if !ok {
		exception = jobException{http.StatusInternalServerError, internalFailure}
	}
	return &Error{Status: exception.status, Code: exception.name, Message: e.Message}
}

// optionalInt returns a parameter of the query as a number, or nil if the query does not contain it.
func (r *Request) optionalInt(name string) (*int64, error) {
	if !r.Query.Has(name) {
		return nil, nil
	}
	n, err := r.Int(name, 0, 1<<62, 0)
	return &n, err
}
