package jobs

import (
	"fmt"

	"iot.wasm/internal/localiot/jsontext"
)

// A Code is the reason why a request was rejected.
type Code string

// Codes of the device API (jobs-api.html#jobs-mqtt-error-response).
const (
	// InvalidTopic rejects a request to a topic of the jobs that is no request topic.
	InvalidTopic Code = "InvalidTopic"

	// InvalidJSON rejects a body that is not a JSON text in UTF-8.
	InvalidJSON Code = "InvalidJson"

	// InvalidRequest rejects a request with invalid contents.
	InvalidRequest Code = "InvalidRequest"

	// InvalidStateTransition rejects an update of an execution that is in a terminal state.
	InvalidStateTransition Code = "InvalidStateTransition"

	// NotFound rejects a request for an execution, or a job, that does not exist.
	NotFound Code = "ResourceNotFound"

	// VersionMismatch rejects an update whose expectedVersion is not the version of the execution.
	VersionMismatch Code = "VersionMismatch"

	// InternalError rejects a request because of an error of the Service.
	InternalError Code = "InternalError"

	// RequestThrottled rejects a request above a rate quota. The Service does not return it.
	RequestThrottled Code = "RequestThrottled"

	// TerminalStateReached rejects the description of an execution that is in a terminal state.
	TerminalStateReached Code = "TerminalStateReached"
)

// Codes of the control API only (API_CreateJob.html#API_CreateJob_Errors).
const (
	AlreadyExists Code = "ResourceAlreadyExists"
	LimitExceeded Code = "LimitExceeded"
)

// An Error reports a rejected request. It is the ErrorResponse of AWS IoT
// (jobs-api.html#jobs-mqtt-error-response).
type Error struct {
	Code        Code    `json:"code"`
	Message     string  `json:"message"`
	ClientToken *string `json:"clientToken,omitempty"` // that of the request
	Timestamp   int64   `json:"timestamp"`             // seconds since 1970

	// ExecutionState is the current state if the Code is InvalidStateTransition or VersionMismatch, and
	// nil otherwise.
	ExecutionState *ExecutionState `json:"executionState,omitempty"`
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("jobs: %s: %s", e.Code, e.Message) }

// Document returns the error as the body of a message to the topic rejected.
func (e *Error) Document() []byte { return jsontext.Encode(e) }

// reject returns an Error. The documentation has no messages. Those of this package that begin with
// "Value" have the form of AWS's validation errors.
func reject(code Code, format string, a ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, a...)}
}

// mismatch rejects a member whose value does not have the required form.
func mismatch(value any, member, constraint string) *Error {
	text := fmt.Sprint(value)
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return reject(InvalidRequest, "Value '%s' at '%s' failed to satisfy constraint: %s", text, member, constraint)
}
