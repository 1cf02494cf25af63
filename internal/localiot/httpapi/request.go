package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// A Request is a request whose signature is valid.
type Request struct {
	Operation   string // the name in the AWS IoT API Reference, such as Publish
	AccessKeyID string
	Query       url.Values
	Header      http.Header
	Host        string // host:port under which the client addresses the server
	Body        []byte // at most 1 MiB

	plane       Plane
	names       map[string]string
	permissions Permissions // nil allows everything
}

// Name returns a name in the path, percent-decoded.
func (r *Request) Name(name string) string { return r.names[name] }

// Authorize returns an error if the access key may not perform an action on a resource; see Permissions.
func (r *Request) Authorize(action, resource string) error {
	if r.permissions == nil || r.permissions.Allows(action, resource) {
		return nil
	}
	if r.plane == Control {
		return &Error{http.StatusForbidden, "AccessDeniedException",
			fmt.Sprintf("The access key is not authorized to perform: %s on resource: %s", action, shorten(resource)), "policy"}
	}
	return &Error{http.StatusForbidden, "ForbiddenException", "Forbidden", "policy"}
}

// Decode decodes the body, which must be one JSON value, into v. An empty body leaves v as it is. Decode
// ignores unknown members.
func (r *Request) Decode(v any) error {
	if len(r.Body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	if err := d.Decode(v); err != nil {
		return Invalid("The request body is not the JSON that this operation takes.")
	}
	if _, err := d.Token(); err != io.EOF {
		return Invalid("The request body contains more than one JSON value.")
	}
	return nil
}

// Int returns a parameter of the query as a number from min to max, or the value of missing if the query
// does not contain it.
func (r *Request) Int(name string, min, max, missing int64) (int64, error) {
	if !r.Query.Has(name) {
		return missing, nil
	}
	n, err := strconv.ParseInt(r.Query.Get(name), 10, 64)
	if err != nil || n < min || n > max {
		return 0, Invalid(fmt.Sprintf("%s must be a whole number from %d to %d.", name, min, max))
	}
	return n, nil
}

// Bool returns a parameter of the query that is true or false, or false if the query does not contain it.
func (r *Request) Bool(name string) (bool, error) {
	switch r.Query.Get(name) {
	case "", "false", "False":
		return false, nil
	case "true", "True":
		return true, nil
	}
	return false, Invalid(name + " must be true or false.")
}
