package shadow

import (
	"fmt"
	"net/http"

	"iot.wasm/internal/localiot/jsontext"
)

// A problem is a reason to reject a request: a code and a text of "Device Shadow error messages"
// (device-shadow-error-messages.html).
type problem struct {
	code    int // an HTTP status
	message string
}

var (
	invalidJSON     = badRequest("Invalid JSON")
	missingState    = badRequest("Missing required node: state")
	invalidState    = badRequest("State node must be an object")
	invalidDesired  = badRequest("Desired node must be an object")
	invalidReported = badRequest("Reported node must be an object")
	invalidVersion  = badRequest("Invalid version")
	invalidToken    = badRequest("Invalid clientToken")
	tooDeep         = badRequest(fmt.Sprint("JSON contains too many levels of nesting; maximum is ", maxLevels))
	invalidNode     = badRequest("State contains an invalid node")

	// The documentation has no text for invalid names and paging. These texts are not AWS's.
	invalidThingName  = badRequest("Invalid thing name")
	invalidShadowName = badRequest("Invalid shadow name")
	invalidPageSize   = badRequest("Invalid pageSize")
	invalidNextToken  = badRequest("Invalid nextToken")

	internalFailure = problem{http.StatusInternalServerError, "Internal service failure"}
	versionConflict = problem{http.StatusConflict, "Version conflict"}
	tooLarge        = problem{http.StatusRequestEntityTooLarge, "The payload exceeds the maximum size allowed"}
	invalidEncoding = problem{http.StatusUnsupportedMediaType,
		"Unsupported documented encoding; supported encoding is UTF-8"} // sic
)

func badRequest(message string) problem { return problem{http.StatusBadRequest, message} }

// shadowNotFound returns the problem of a shadow that does not exist. The examples of the documentation
// have the name in quotes. For a classic shadow the AWS IoT Device SDK v2 shows the name of the thing.
func shadowNotFound(thing, name string) problem {
	if name == "" {
		name = thing
	}
	return problem{http.StatusNotFound, fmt.Sprintf("No shadow exists with name: '%s'", name)}
}

// An Error reports a rejected request. It is the error response document of AWS IoT
// (device-shadow-document.html#device-shadow-example-error-json).
type Error struct {
	Code        int     `json:"code"` // an HTTP status
	Message     string  `json:"message"`
	Timestamp   *int64  `json:"timestamp,omitempty"`   // seconds since 1970
	ClientToken *string `json:"clientToken,omitempty"` // that of the request
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("shadow: %d %s", e.Code, e.Message) }

// Document returns the error as the body of a message to the topic rejected.
func (e *Error) Document() []byte { return jsontext.Encode(e) }

// reject returns an Error. The documentation states that not all error documents have a timestamp, but not
// which ones. Its examples of the codes 404 and 409 have none.
func reject(p problem, token *string, seconds int64) *Error {
	e := &Error{Code: p.code, Message: p.message, ClientToken: token}
	if p.code != http.StatusNotFound && p.code != http.StatusConflict {
		e.Timestamp = &seconds
	}
	return e
}
