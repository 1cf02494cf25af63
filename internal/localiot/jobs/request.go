package jobs

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"iot.wasm/internal/localiot/jsontext"
	"iot.wasm/internal/localiot/things"
)

const (
	// maxBody is the largest body of a request of the device API, in bytes: the largest payload of a
	// PUBLISH to AWS IoT.
	maxBody = 128 << 10

	// maxNesting bounds the nesting of objects and arrays in JSON texts. The documentation has no limit.
	maxNesting = 100

	// Limits of statusDetails (API_iot-jobs-data_UpdateJobExecution.html). The number of pairs is that of
	// API_CancelJobExecution.html.
	maxDetails     = 10
	maxDetailKey   = 128  // bytes
	maxDetailValue = 1024 // characters

	// maxTimeout is the largest timeout of an execution, in minutes: 7 days.
	maxTimeout = 7 * 24 * 60
)

var (
	validID        = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	validDetailKey = regexp.MustCompile(`^[a-zA-Z0-9:_-]+$`)
)

// A StartNextRequest contains the members of a StartNextPendingJobExecution request
// (jobs-mqtt-api.html#mqtt-startnextpendingjobexecution).
type StartNextRequest struct {
	StatusDetails map[string]string // nil: unchanged
	StepTimeout   *int64            // minutes; nil: no step timer
}

// A DescribeRequest contains the members of a DescribeJobExecution request
// (jobs-mqtt-api.html#mqtt-describejobexecution).
type DescribeRequest struct {
	ExecutionNumber *int64 // nil: the latest
	WithoutDocument bool   // includeJobDocument is false
}

// An UpdateRequest contains the members of an UpdateJobExecution request
// (jobs-mqtt-api.html#mqtt-updatejobexecution).
type UpdateRequest struct {
	Status          Status
	StatusDetails   map[string]string // nil: unchanged
	ExpectedVersion *int64            // nil: any
	ExecutionNumber *int64            // nil: the latest
	IncludeState    bool
	IncludeDocument bool
	StepTimeout     *int64 // minutes; nil: unchanged; -1: no step timer any more
}

// ParseStartNext decodes the body of a StartNextPendingJobExecution request. Members that are not listed
// are ignored. An error is of the type *Error.
func ParseStartNext(body []byte) (StartNextRequest, error) {
	p := parse(body)
	r := p.startNext()
	return r, p.failure()
}

func (p *parser) startNext() StartNextRequest {
	return StartNextRequest{StatusDetails: p.details(), StepTimeout: p.stepTimeout(1)}
}

func (p *parser) describe() DescribeRequest {
	r := DescribeRequest{ExecutionNumber: p.integer("executionNumber")}
	if include := p.boolean("includeJobDocument"); include != nil {
		r.WithoutDocument = !*include
	}
	return r
}

// ParseUpdate decodes the body of an UpdateJobExecution request. Members that are not listed are ignored.
// An error is of the type *Error.
func ParseUpdate(body []byte) (UpdateRequest, error) {
	p := parse(body)
	r := p.update()
	return r, p.failure()
}

func (p *parser) update() UpdateRequest {
	r := UpdateRequest{
		Status:          p.status(),
		StatusDetails:   p.details(),
		ExpectedVersion: p.integer("expectedVersion"),
		ExecutionNumber: p.integer("executionNumber"),
		// API_iot-jobs-data_UpdateJobExecution.html: -1 cancels the current step timer.
		StepTimeout: p.stepTimeout(-1),
	}
	if include := p.boolean("includeJobExecutionState"); include != nil {
		r.IncludeState = *include
	}
	if include := p.boolean("includeJobDocument"); include != nil {
		r.IncludeDocument = *include
	}
	return r
}

// A parser reads the members of a JSON object. err is the first problem, in the order of the calls. The
// documentation does not state which of several problems is reported.
type parser struct {
	members     map[string]any
	clientToken *string
	err         *Error
}

// parse decodes a JSON object. An empty body is an empty object, because the documentation does not
// demand a body. Of members with the same name, the last one counts. null stands for an absent member.
func parse(body []byte) *parser {
	p := new(parser)
	switch {
	case len(body) > maxBody:
		p.err = reject(InvalidRequest, "The payload exceeds the maximum size allowed")
	case len(body) == 0:
	case !utf8.Valid(body):
		p.err = reject(InvalidJSON, "The request is not UTF-8")
	case jsontext.Nesting(body) > maxNesting:
		p.err = reject(InvalidJSON, "The JSON has too many levels of nesting")
	default:
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		err := decoder.Decode(&p.members)
		if err == nil {
			if _, end := decoder.Token(); end != io.EOF {
				p.members, err = nil, io.ErrUnexpectedEOF
			}
		}
		if err != nil || p.members == nil {
			p.err = reject(InvalidJSON, "The request is not a valid JSON object")
		}
	}
	// The documentation calls clientToken an arbitrary string without a limit.
	switch token := p.members["clientToken"].(type) {
	case nil:
	case string:
		p.clientToken = &token
	default:
		p.reject(mismatch("", "clientToken", "Member must be a string"))
	}
	return p
}

func (p *parser) reject(err *Error) {
	if p.err == nil {
		p.err = err
	}
}

// failure returns p.err. It is nil, and not a nil *Error, if there is none.
func (p *parser) failure() error {
	if p.err == nil {
		return nil
	}
	return p.err
}

// integer returns an integer. Like AWS's own device clients, a request may contain the number as a
// string.
func (p *parser) integer(name string) *int64 {
	var text string
	switch v := p.members[name].(type) {
	case nil:
		return nil
	case string:
		text = v
	case json.Number:
		text = string(v)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.reject(mismatch(text, name, "Member must be an integer"))
		return nil
	}
	return &n
}

func (p *parser) boolean(name string) *bool {
	switch v := p.members[name].(type) {
	case nil:
		return nil
	case bool:
		return &v
	}
	p.reject(mismatch("", name, "Member must be a boolean"))
	return nil
}

// stepTimeout returns the step timer in minutes.
func (p *parser) stepTimeout(least int64) *int64 {
	n := p.integer("stepTimeoutInMinutes")
	if n != nil && (*n < least || *n == 0 || *n > maxTimeout) {
		p.reject(mismatch(*n, "stepTimeoutInMinutes", "Member must have value between 1 and 10080"))
		return nil
	}
	return n
}

// status returns the new status of an update, one of those that a device may set.
func (p *parser) status() Status {
	var status Status
	switch v := p.members["status"].(type) {
	case nil:
		p.reject(reject(InvalidRequest, "Value null at 'status' failed to satisfy constraint: Member must not be null"))
		return ""
	case string:
		status = Status(v)
	}
	switch {
	case !slices.Contains(statuses, status):
		p.reject(mismatch(status, "status", "Member must satisfy enum value set: "+
			"[QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT, REJECTED, REMOVED, CANCELED]"))
	case status != InProgress && status != Succeeded && status != Failed && status != Rejected:
		p.reject(reject(InvalidRequest, "A device cannot set the status to %s", status))
	}
	return status
}

// details returns the statusDetails, which are nil if the request has none.
func (p *parser) details() map[string]string {
	value := p.members["statusDetails"]
	if value == nil {
		return nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		p.reject(mismatch("", "statusDetails", "Member must be a map"))
		return nil
	}
	if len(object) > maxDetails {
		p.reject(reject(InvalidRequest, "Value at 'statusDetails' failed to satisfy constraint: Member must have at most %d pairs", maxDetails))
	}
	details := make(map[string]string, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		text, ok := object[key].(string)
		switch {
		case len(key) > maxDetailKey || !validDetailKey.MatchString(key):
			p.reject(mismatch(key, "statusDetails", "Map keys must have length between 1 and 128 "+
				"and must satisfy regular expression pattern: [a-zA-Z0-9:_-]+"))
		case !ok:
			p.reject(reject(InvalidRequest, "Value at 'statusDetails.%s' failed to satisfy constraint: Member must be a string", key))
		case text == "" || utf8.RuneCountInString(text) > maxDetailValue:
			p.reject(reject(InvalidRequest, "Value at 'statusDetails.%s' failed to satisfy constraint: "+
				"Member must have length between 1 and 1024", key))
		case hasControl(text):
			p.reject(reject(InvalidRequest, "Value at 'statusDetails.%s' failed to satisfy constraint: "+
				`Member must satisfy regular expression pattern: [^\p{C}]+`, key))
		}
		details[key] = text
	}
	return details
}

// hasControl reports whether s contains a character of the class C of Unicode, without the unassigned ones.
func hasControl(s string) bool {
	for _, c := range s {
		if unicode.Is(unicode.C, c) {
			return true
		}
	}
	return false
}

func checkThing(thing string) *Error {
	if !things.ValidName(thing) {
		return mismatch(thing, "thingName", "Member must have length between 1 and 128 and must satisfy regular expression pattern: "+things.NamePattern)
	}
	return nil
}

func checkID(id string) *Error {
	if !validID.MatchString(id) {
		return mismatch(id, "jobId", "Member must have length between 1 and 64 and must satisfy regular expression pattern: [a-zA-Z0-9_-]+")
	}
	return nil
}
