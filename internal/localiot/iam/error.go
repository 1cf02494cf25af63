package iam

// An Error is an exception of the AWS IoT control plane. It contains no secret.
type Error struct {
	Code    string // the name of the exception, such as MalformedPolicyException
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }
