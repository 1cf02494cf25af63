package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A Handler carries out one operation. The result is sent as JSON with status 200; nil sends no body,
// and json.RawMessage is sent as it is. An error other than *Error is sent as an internal failure.
type Handler func(*Request) (any, error)

// A route is one operation.
type route struct {
	plane     Plane
	operation string
	method    string
	segments  []string // of the path
	handle    Handler
}

// Handle registers an operation. pattern is a method and a path, for example
// "GET /things/{thingName}/shadow". A segment {name} matches one segment that is not empty. A last segment
// {name+} matches the rest of the path with its slashes. Of several matching operations, the first one
// counts.
//
// Segments of requests are compared and returned percent-decoded: %2F is a part of a name, not a
// separator. Dots have no special meaning: a name can be "..".
func (a *API) Handle(plane Plane, operation, pattern string, h Handler) {
	method, path, _ := strings.Cut(pattern, " /")
	segments := strings.Split(path, "/")
	a.routes = append(a.routes, route{plane, operation, method, segments, h})
	a.roots[segments[0]] = true
}

// match returns the operation of a request that is signed for a service, and the names in its path.
func (a *API) match(service string, r *http.Request) (*route, map[string]string, *Error) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	plane := planes[service]
	other := ""
	knownPath := false
	for i := range a.routes {
		candidate := &a.routes[i]
		names, ok := candidate.match(path)
		switch {
		case !ok:
		case candidate.plane == plane && candidate.method == r.Method:
			return candidate, names, nil
		case candidate.plane == plane:
			knownPath = true
		case candidate.method == r.Method:
			other = string(candidate.plane)
		}
	}
	switch {
	case plane == "" && other == "":
		other = fmt.Sprintf("%s', '%s' or '%s", Data, JobsData, Control)
		fallthrough
	case other != "" && !knownPath:
		return nil, nil, &Error{http.StatusForbidden, "InvalidSignatureException",
			fmt.Sprintf("Credential should be scoped to correct service: '%s'.", other), "service"}
	case knownPath && plane == Data:
		return nil, nil, &Error{http.StatusMethodNotAllowed, "MethodNotAllowedException",
			"The specified combination of HTTP verb and URI is not supported.", "operation"}
	}
	return nil, nil, &Error{http.StatusNotFound, "UnknownOperationException",
		"The local AWS IoT Core does not have this operation.", "operation"}
}

// match reports whether a path matches the route, and returns the names in the path.
func (r *route) match(path []string) (map[string]string, bool) {
	names := make(map[string]string)
	for i, segment := range r.segments {
		name, isName := strings.CutPrefix(segment, "{")
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		if i >= len(path) {
			return nil, false
		}
		encoded := path[i]
		if greedy {
			encoded = strings.Join(path[i:], "/")
		}
		value, err := url.PathUnescape(encoded)
		switch {
		case err != nil, isName && value == "", !isName && value != segment:
			return nil, false
		case isName:
			names[name] = value
		}
		if greedy {
			return names, true
		}
	}
	return names, len(path) == len(r.segments)
}
