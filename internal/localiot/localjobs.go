package localiot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"iot.wasm/internal/localiot/jobs"
	"iot.wasm/internal/localiot/uuid"
	"iot.wasm/internal/localiot/web"
)

// maxLocalJob is the largest body of a request to /local/jobs, in bytes.
const maxLocalJob = 64 << 10

// localJob is the body of a request to /local/jobs.
type localJob struct {
	JobID    string          `json:"jobId"`    // if it is empty, the server chooses an id
	Targets  []string        `json:"targets"`  // names or ARNs of things
	Document json.RawMessage `json:"document"` // any JSON value
}

// decodeLocalJob reads a localJob. It returns an error for an unknown member, and for text after the object.
func decodeLocalJob(body []byte) (j localJob, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return j, errors.New("the body is not a JSON object with the members jobId, targets and document")
	}
	if _, err := d.Token(); err != io.EOF {
		return j, errors.New("the body has text after the JSON object")
	}
	if j.JobID == "" {
		j.JobID = "local-" + uuid.New()
	}
	return j, nil
}

// serveLocalJobs creates a job for the pages of this server. It stands for the backend that a page needs with
// AWS, because the control plane of AWS IoT has no CORS headers. A page of this server could do the same with the
// key in /local.json. Pages of other origins cannot use it, also those that the Guard allows.
func (s *Server) serveLocalJobs(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, check, code, message string) {
		s.refuse(w, r, status, web.Refusal{Check: check, Code: code, Message: message})
	}
	for _, origin := range r.Header.Values("Origin") {
		if !isOwnOrigin(r, origin) {
			refuse(http.StatusForbidden, "origin", "ForbiddenException", "Only the pages of this server can create jobs.")
			return
		}
	}
	// A page of another origin cannot send this type without a preflight request, which the server refuses.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(http.StatusUnsupportedMediaType, "jobs", "InvalidRequestException", "The Content-Type must be application/json.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLocalJob))
	if err != nil {
		refuse(http.StatusRequestEntityTooLarge, "jobs", "InvalidRequestException", "The body is too large.")
		return
	}
	request, err := decodeLocalJob(body)
	if err != nil {
		refuse(http.StatusBadRequest, "jobs", "InvalidRequestException", err.Error())
		return
	}
	if err := s.createLocalJob(request); err != nil {
		code := "InvalidRequestException"
		if rejected, ok := errors.AsType[*jobs.Error](err); ok {
			code = string(rejected.Code) + "Exception"
		}
		refuse(http.StatusBadRequest, "jobs", code, err.Error())
		return
	}
	s.options.Logger.Info("job", "created", request.JobID, "targets", len(request.Targets), "bytes", len(body))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]string{"jobId": request.JobID})
}

// createLocalJob creates a job. It first registers those targets that are no registered things.
func (s *Server) createLocalJob(j localJob) error {
	request := jobs.CreateRequest{JobID: j.JobID, Targets: j.Targets, Document: string(j.Document)}
	_, err := s.jobs.Create(request)
	// Create checks the document and the number of targets first, so that such a request registers nothing.
	if rejected, ok := errors.AsType[*jobs.Error](err); !ok || rejected.Code != jobs.NotFound {
		return err
	}
	for _, target := range j.Targets {
		thing := strings.TrimPrefix(target, s.things.ARN(""))
		if s.things.Exists(thing) {
			continue
		}
		if _, err := s.things.Create(thing, nil); err != nil {
			return err
		}
	}
	_, err = s.jobs.Create(request)
	return err
}

// isOwnOrigin reports whether the origin is that of the server to which the request was sent.
func isOwnOrigin(r *http.Request, origin string) bool {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+r.Host)
}
