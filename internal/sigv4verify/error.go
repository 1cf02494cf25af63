package sigv4verify

import "fmt"

// Error says why a request was refused. None of its fields ever holds a secret, a token, a
// signature or the canonical request.
type Error struct {
	// Check is the short, stable name of the check that failed: query, missing:<parameter>,
	// duplicate:<parameter>, algorithm, signed-headers, credential, terminator, service, region,
	// scope-date, date, skew, expires (not a valid number), expired, access-key,
	// credentials-expired, token or signature.
	Check string

	// Code is AWS's name for the exception, such as InvalidSignatureException.
	Code string

	// Message is worded as AWS words it, as far as that is known.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func incomplete(check, format string, args ...any) *Error {
	return &Error{check, "IncompleteSignatureException", fmt.Sprintf(format, args...)}
}

func invalid(check, format string, args ...any) *Error {
	return &Error{check, "InvalidSignatureException", fmt.Sprintf(format, args...)}
}

// unrecognized does not tell an unknown key id from a wrong session token, as AWS does not.
func unrecognized(check string) *Error {
	return &Error{check, "UnrecognizedClientException", "The security token included in the request is invalid."}
}
