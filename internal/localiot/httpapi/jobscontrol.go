package httpapi

import (
	"net/http"

	"iot.wasm/internal/localiot/jobs"
)

// jobReference is the result of CreateJob and CancelJob (API_CreateJob.html, API_CancelJob.html).
type jobReference struct {
	JobARN      string `json:"jobArn"`
	JobID       string `json:"jobId"`
	Description string `json:"description,omitempty"`
}

// executionPage is the result of ListJobExecutionsForJob and ListJobExecutionsForThing.
type executionPage struct {
	ExecutionSummaries any    `json:"executionSummaries"`
	NextToken          string `json:"nextToken,omitempty"`
}

// AddJobs registers the operations on jobs of the control plane: CreateJob, DescribeJob, GetJobDocument,
// ListJobs, CancelJob, DescribeJobExecution, ListJobExecutionsForJob and ListJobExecutionsForThing.
func (a *API) AddJobs(s *jobs.Service) {
	a.Handle(Control, "CreateJob", "PUT /jobs/{jobId}", jobHandler("iot:CreateJob", func(r *Request, id string) (any, error) {
		request, err := jobs.ParseCreate(id, r.Body)
		if err != nil {
			return nil, err
		}
		j, err := s.Create(request)
		if err != nil {
			return nil, err
		}
		return jobReference{j.JobARN, id, j.Description}, nil
	}))
	a.Handle(Control, "CancelJob", "PUT /jobs/{jobId}/cancel", jobHandler("iot:CancelJob", func(r *Request, id string) (any, error) {
		request, err := jobs.ParseCancel(r.Body)
		if err != nil {
			return nil, err
		}
		if request.Force, err = r.Bool("force"); err != nil {
			return nil, err
		}
		j, err := s.Cancel(id, request)
		if err != nil {
			return nil, err
		}
		return jobReference{j.JobARN, id, j.Description}, nil
	}))
	a.Handle(Control, "DescribeJob", "GET /jobs/{jobId}", jobHandler("iot:DescribeJob", func(_ *Request, id string) (any, error) {
		j, err := s.DescribeJob(id)
		if err != nil {
			return nil, err
		}
		return map[string]any{"job": j}, nil
	}))
	a.Handle(Control, "GetJobDocument", "GET /jobs/{jobId}/job-document", jobHandler("iot:GetJobDocument", func(_ *Request, id string) (any, error) {
		document, err := s.Document(id)
		return map[string]string{"document": document}, err
	}))
	a.Handle(Control, "ListJobs", "GET /jobs", func(r *Request) (any, error) {
		if err := r.Authorize("iot:ListJobs", "*"); err != nil {
			return nil, err
		}
		o, err := listOptions(r)
		if err != nil {
			return nil, err
		}
		page, next, err := s.ListJobs(o)
		if err != nil {
			return nil, jobError(err, jobErrors)
		}
		return struct {
			Jobs      []jobs.JobSummary `json:"jobs"`
			NextToken string            `json:"nextToken,omitempty"`
		}{page, next}, nil
	})
	a.Handle(Control, "ListJobExecutionsForJob", "GET /jobs/{jobId}/things", jobHandler("iot:ListJobExecutionsForJob", func(r *Request, id string) (any, error) {
		o, err := listOptions(r)
		if err != nil {
			return nil, err
		}
		page, next, err := s.ListExecutionsForJob(id, o)
		return executionPage{page, next}, err
	}))
	a.Handle(Control, "ListJobExecutionsForThing", "GET /things/{thingName}/jobs", executionHandler("iot:ListJobExecutionsForThing", func(r *Request, thing string) (any, error) {
		o, err := listOptions(r)
		if err != nil {
			return nil, err
		}
		page, next, err := s.ListExecutionsForThing(thing, o)
		return executionPage{page, next}, err
	}))
	a.Handle(Control, "DescribeJobExecution", "GET /things/{thingName}/jobs/{jobId}", executionHandler("iot:DescribeJobExecution", func(r *Request, thing string) (any, error) {
		number, err := r.optionalInt("executionNumber")
		if err != nil {
			return nil, err
		}
		e, err := s.DescribeExecution(thing, r.Name("jobId"), number)
		if err != nil {
			return nil, err
		}
		return map[string]any{"execution": e}, nil
	}))
}

func listOptions(r *Request) (jobs.ListOptions, error) {
	size, err := r.Int("maxResults", 1, 250, 0)
	return jobs.ListOptions{
		Status:          r.Query.Get("status"),
		TargetSelection: r.Query.Get("targetSelection"),
		MaxResults:      int(size),
		NextToken:       r.Query.Get("nextToken"),
	}, err
}

// jobHandler returns a Handler of an action on the job in the path.
func jobHandler(action string, operation func(r *Request, id string) (any, error)) Handler {
	return func(r *Request) (any, error) {
		return controlJob(r, action, "job/", r.Name("jobId"), operation)
	}
}

// executionHandler returns a Handler of an action on the thing in the path.
func executionHandler(action string, operation func(r *Request, thing string) (any, error)) Handler {
	return func(r *Request) (any, error) {
		return controlJob(r, action, "thing/", r.Name("thingName"), operation)
	}
}

func controlJob(r *Request, action, prefix, name string, operation func(r *Request, name string) (any, error)) (any, error) {
	if err := r.Authorize(action, prefix+name); err != nil {
		return nil, err
	}
	result, err := operation(r, name)
	if err != nil {
		return nil, jobError(err, jobErrors)
	}
	return result, nil
}

// jobErrors are the exceptions of the control plane (API_CreateJob.html#API_CreateJob_Errors).
var jobErrors = map[jobs.Code]jobException{
	jobs.InvalidRequest: {http.StatusBadRequest, "InvalidRequestException"},
	jobs.NotFound:       {http.StatusNotFound, "ResourceNotFoundException"},
	jobs.AlreadyExists:  {http.StatusConflict, "ResourceAlreadyExistsException"},
	jobs.LimitExceeded:  {http.StatusGone, "LimitExceededException"},
	jobs.InternalError:  {http.StatusServiceUnavailable, "ServiceUnavailableException"},
}
