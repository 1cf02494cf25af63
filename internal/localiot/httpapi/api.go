// Package httpapi implements the HTTP APIs of AWS IoT Core: the data plane, the data plane of jobs, and
// the parts of the control plane that a developer needs. Requests are signed with SigV4 in the header
// Authorization.
//
// An API dispatches a request by its plane, its method and its path to a Handler. The services behind
// the handlers are small interfaces. Each Add method registers the routes of one service:
//
//	api := httpapi.New(options)
//	api.AddShadows(shadows)
//
// The names of operations, paths and members come from the AWS IoT API Reference. Comments name its
// pages, for example API_iotdata_Publish.html for
// https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html.
package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"iot.wasm/internal/sigv4verify"
)

// maxBody is the largest body of a request, in bytes. Operations have smaller limits of their own.
const maxBody = 1 << 20

// A Plane is a group of operations that share a service name in signatures and an error shape.
type Plane string

// The planes. The value is the service name in the signatures of AWS's current SDKs.
const (
	Data     Plane = "iotdata"       // the message broker and the shadows
	JobsData Plane = "iot-jobs-data" // the jobs of one thing
	Control  Plane = "iot"           // things, jobs, policies
)

// planes are the service names in signatures. The Device Shadow REST API documentation demands
// iotdevicegateway (device-shadow-rest-api.html). Older SDKs sign the control plane with execute-api, and
// the jobs data plane with iotjobsdata.
var planes = map[string]Plane{
	"iotdata":          Data,
	"iotdevicegateway": Data,
	"iot-jobs-data":    JobsData,
	"iotjobsdata":      JobsData,
	"iot":              Control,
	"execute-api":      Control,
}

// Permissions decide which actions an access key may perform.
type Permissions interface {
	// Allows reports whether an action, such as iot:Publish, is allowed on a resource. The resource is an
	// ARN without arn:aws:iot:<region>:<account>:, for example topic/room/1, or * for all.
	Allows(action, resource string) bool
}

// Options configure an API. Region and Lookup must be set.
type Options struct {
	Region string           // the region in signatures
	Now    func() time.Time // the clock; time.Now when nil

	// Lookup returns the key that has an access key id, and reports whether the id is known.
	Lookup func(accessKeyID string) (sigv4verify.Key, bool)

	// Permissions returns the permissions of an access key. If it is nil or returns nil, the key may
	// perform all actions.
	Permissions func(accessKeyID string) Permissions

	// Logger logs one line for each request. It gets no query, no header, no body and no credential. Nil
	// logs nothing.
	Logger *slog.Logger
}

// An API is an http.Handler. The Add methods must not be called while it serves requests.
type API struct {
	options  Options
	verifier sigv4verify.Verifier
	log      *slog.Logger
	routes   []route
	roots    map[string]bool // the first segments of the paths of routes
}

// New returns an API without operations.
func New(o Options) *API {
	a := &API{
		options:  o,
		verifier: sigv4verify.Verifier{Region: o.Region, Now: o.Now, Lookup: o.Lookup},
		log:      o.Logger,
		roots:    make(map[string]bool),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a
}

// Owns reports whether a request is for the API: the header Authorization is that of SigV4, or the path
// begins like that of an operation.
func (a *API) Owns(r *http.Request) bool {
	root, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	return sigv4verify.IsSigned(r) || a.roots[root]
}

// ServeHTTP implements http.Handler. Like AWS, it sends no CORS headers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID()
	h := w.Header()
	h.Set("x-amzn-RequestId", id)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	q := new(Request)
	result, err := a.serve(w, r, q)
	status := http.StatusOK
	if err != nil {
		e := asError(err)
		status = e.Status
		a.log.Info("refused", "check", cmp.Or(e.Check, e.Code), "status", status, "operation", q.Operation, "method", r.Method, "path", shorten(r.URL.Path))
		h.Set("x-amzn-ErrorType", e.Code)
		result = errorBody{Message: e.Message, TraceID: id}
	} else {
		a.log.Info("http", "operation", q.Operation, "path", shorten(r.URL.Path), "bytes", len(q.Body))
	}
	if result == OK {
		result = errorBody{Message: "OK", TraceID: id}
	}
	var body []byte
	if result != nil {
		body, err = json.Marshal(result)
		if err != nil { // a Handler returned invalid JSON
			status, body = http.StatusInternalServerError, []byte(`{"message":"Internal service failure"}`)
			h.Set("x-amzn-ErrorType", internalFailure)
		}
	}
	w.WriteHeader(status)
	w.Write(body)
}

// serve verifies a request and calls the Handler of its operation. It stores the result of the
// verification in q.
func (a *API) serve(w http.ResponseWriter, r *http.Request, q *Request) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a request failed", "operation", q.Operation, "panic", fmt.Sprintf("%T", p))
			result, err = nil, &Error{Status: http.StatusInternalServerError, Code: internalFailure, Message: "Internal service failure"}
		}
	}()
	authorization, err := sigv4verify.ParseHeader(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, TooLarge("Request body is too large")
	} else if err != nil {
		return nil, Invalid("The request body could not be read.")
	}
	route, names, problem := a.match(authorization.Service, r)
	if problem != nil && problem.Check == "service" {
		return nil, problem
	}
	if err := a.verifier.VerifyHeader(r, authorization, body); err != nil {
		return nil, err
	}
	if problem != nil {
		return nil, problem
	}
	*q = Request{
		Operation:   route.operation,
		AccessKeyID: authorization.AccessKeyID,
		Query:       r.URL.Query(),
		Header:      r.Header,
		Host:        r.Host,
		Body:        body,
		names:       names,
		plane:       route.plane,
	}
	if a.options.Permissions != nil {
		q.permissions = a.options.Permissions(authorization.AccessKeyID)
	}
	return route.handle(q)
}

// shorten returns the begin of a text, for a log.
func shorten(s string) string {
	const limit = 300
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
