package httpapi

import (
	"errors"
	"net/http"

	"iot.wasm/internal/sigv4verify"
)

const internalFailure = "InternalFailureException"

// OK is a result that is sent as {"message":"OK"}, as the data plane answers to Publish.
var OK any = new(struct{ _ byte })

// An Error is sent with its status, its code in the header x-amzn-ErrorType, and its message in the
// JSON body.
type Error struct {
	Status  int
	Code    string // the exception name of AWS, such as ResourceNotFoundException
	Message string
	Check   string // for the log: the name of the failed check, such as signature; may be empty
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Invalid returns the error InvalidRequestException, with status 400.
func Invalid(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestException", Message: message}
}

// NotFound returns the error ResourceNotFoundException, with status 404.
func NotFound(message string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: message}
}

// TooLarge returns the error RequestEntityTooLargeException, with status 413.
func TooLarge(message string) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException", Message: message}
}

// asError converts an error to an *Error. The text of an unknown error is not sent.
func asError(err error) *Error {
	var e *Error
	var s *sigv4verify.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &s):
		return &Error{http.StatusForbidden, s.Code, s.Message, s.Check}
	}
	return &Error{Status: http.StatusInternalServerError, Code: internalFailure, Message: "Internal service failure"}
}

// errorBody is the body of an error. The data plane of AWS also sends the request id, as traceId.
type errorBody struct {
	Message string `json:"message"`
	TraceID string `json:"traceId"`
}
