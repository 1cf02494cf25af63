package sigv4verify

import "fmt"

// Error states why Verify refused a request. Its fields never contain a secret, a token, a signature
// or the canonical request.
type Error struct {
	// Check is the stable name of the failed check: query, authorization (not a list of parameters),
	// missing:<parameter>, duplicate:<parameter>, algorithm, signed-headers, credential, terminator,
	// service, region, scope-date, date, skew, expires (not a valid number), expired, access-key,
	// credentials-expired, token, token-signed (the session token is part of the signed query),
	// payload-hash or signature.
	Check string

	// Code is the exception name of AWS, such as InvalidSignatureException.
	Code string

	// Message is the message that AWS returns, if it is known.
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

// unrecognized returns the error for an unknown access key id or a wrong session token. Like AWS, it
// does not distinguish the two in its code and message.
func unrecognized(check string) *Error {
	return &Error{check, "UnrecognizedClientException", "The security token included in the request is invalid."}
}
