package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSignatures(t *testing.T) {
	a := startAPI(t)
	ok := signedRequest{method: "GET", path: "/things/lamp/shadow"}
	for name, test := range map[string]struct {
		change func(*signedRequest)
		status int
		code   string
		text   string // in the message
	}{
		"unsigned": {func(q *signedRequest) { q.change = func(r *http.Request) { r.Header.Del("Authorization") } }, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"malformed": {func(q *signedRequest) {
			q.change = func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x") }
		}, 403, "IncompleteSignatureException", "equal-sign"},
		"changed": {func(q *signedRequest) { q.change = func(r *http.Request) { r.URL.Path = "/things/other/shadow" } }, 403, "InvalidSignatureException", "does not match"},
		"unsigned payload": {func(q *signedRequest) {
			q.header = map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
		}, 403, "InvalidSignatureException", "hash"},
		"unknown key":     {func(q *signedRequest) { q.id = "AKIDOTHER" }, 403, "UnrecognizedClientException", "invalid"},
		"wrong region":    {func(q *signedRequest) { q.region = "eu-west-1" }, 403, "InvalidSignatureException", "'eu-west-1'"},
		"expired":         {func(q *signedRequest) { q.at = time.Now().Add(-time.Hour) }, 403, "InvalidSignatureException", "Signature expired"},
		"future":          {func(q *signedRequest) { q.at = time.Now().Add(time.Hour) }, 403, "InvalidSignatureException", "not yet current"},
		"other plane":     {func(q *signedRequest) { q.service = "iot" }, 403, "InvalidSignatureException", "correct service: 'iotdata'"},
		"unknown service": {func(q *signedRequest) { q.service = "s3" }, 403, "InvalidSignatureException", "correct service: 'iotdata'"},
		"unknown service and path": {func(q *signedRequest) { q.service, q.path = "s3", "/bucket" }, 403, "InvalidSignatureException",
			"'iotdata', 'iot-jobs-data' or 'iot'"},
		"not permitted": {func(q *signedRequest) { q.id = limitedID }, 403, "ForbiddenException", "Forbidden"},
		"permitted":     {func(q *signedRequest) { q.id, q.path = limitedID, "/things/mine/shadow" }, 404, "ResourceNotFoundException", "mine"},
		"older service name": {func(q *signedRequest) { q.service = "iotdevicegateway" }, 404, "ResourceNotFoundException",
			"No shadow exists with name: 'lamp'"},
	} {
		t.Run(name, func(t *testing.T) {
			q := ok
			test.change(&q)
			if message := a.wantError(a.send(q), test.status, test.code); !strings.Contains(message, test.text) {
				t.Errorf("message %q, want %q in it", message, test.text)
			}
		})
	}
	if strings.Contains(a.log.String(), testSecret) || strings.Contains(a.log.String(), "Signature=") {
		t.Error("the log contains a secret")
	}
	for _, line := range []string{"check=region", "check=policy", "check=missing:Authorization", "operation=GetThingShadow"} {
		if !strings.Contains(a.log.String(), line) {
			t.Errorf("the log does not contain %s", line)
		}
	}
}

// The service in the signature selects the operation if the method and the path do not.
func TestRouting(t *testing.T) {
	a := startAPI(t)
	jobs := func(name string) Handler {
		return func(r *Request) (any, error) { return name + " " + r.Name("thingName") + " " + r.Name("jobId"), nil }
	}
	a.Handle(JobsData, "GetPendingJobExecutions", "GET /things/{thingName}/jobs", jobs("pending"))
	a.Handle(Control, "ListJobExecutionsForThing", "GET /things/{thingName}/jobs", jobs("list"))
	a.Handle(JobsData, "StartNextPendingJobExecution", "PUT /things/{thingName}/jobs/$next", jobs("next"))
	a.Handle(JobsData, "UpdateJobExecution", "POST /things/{thingName}/jobs/{jobId}", jobs("update"))
	for _, test := range []struct{ method, path, service, want string }{
		{"GET", "/things/a/jobs", "iot-jobs-data", "pending a "},
		{"GET", "/things/a/jobs", "iotjobsdata", "pending a "},
		{"GET", "/things/a/jobs", "iot", "list a "},
		{"GET", "/things/a/jobs", "execute-api", "list a "},
		{"PUT", "/things/a/jobs/$next", "iot-jobs-data", "next a "},
		{"PUT", "/things/a/jobs/%24next", "iot-jobs-data", "next a "},
		{"POST", "/things/a%2Fb/jobs/x%20y", "iot-jobs-data", "update a/b x y"},
		{"POST", "/things/../jobs/.", "iot-jobs-data", "update .. ."},
	} {
		var got string
		a.want(a.send(signedRequest{method: test.method, path: test.path, service: test.service}), &got)
		if got != test.want {
			t.Errorf("%s %s for %s: %q, want %q", test.method, test.path, test.service, got, test.want)
		}
	}
	for _, test := range []struct {
		method, path, service string
		status                int
		code                  string
	}{
		{"GET", "/thingsx", "iot", 404, "UnknownOperationException"},
		{"GET", "/", "iot", 404, "UnknownOperationException"},
		{"GET", "/things//jobs", "iot", 404, "UnknownOperationException"},
		{"GET", "/things/a/jobs/", "iot", 404, "UnknownOperationException"},
		{"DELETE", "/things/a/jobs", "iot", 404, "UnknownOperationException"},
		{"PATCH", "/things/a/shadow", "iotdata", 405, "MethodNotAllowedException"},
		{"HEAD", "/things/a/shadow", "iotdata", 405, "MethodNotAllowedException"},
		{"OPTIONS", "/things/a/shadow", "iotdata", 405, "MethodNotAllowedException"},
		{"GET", "/things/a/panic", "iot", 500, "InternalFailureException"},
	} {
		t.Run(test.method+test.path, func(t *testing.T) {
			a.wantError(a.send(signedRequest{method: test.method, path: test.path, service: test.service}), test.status, test.code)
		})
	}
}

func TestOwns(t *testing.T) {
	a := startAPI(t)
	for path, want := range map[string]bool{"/things": true, "/topics/a/b": true, "/endpoint": true, "/": false, "/index.html": false, "/things.js": false} {
		r, _ := http.NewRequest("GET", "http://localhost"+path, nil)
		if got := a.Owns(r); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
		if !a.Owns(r) {
			t.Errorf("%s, signed: not owned", path)
		}
	}
}

func TestDescribeEndpoint(t *testing.T) {
	a := startAPI(t)
	var got struct{ EndpointAddress string }
	a.want(a.send(signedRequest{method: "GET", path: "/endpoint?endpointType=iot%3AData-ATS", service: "iot"}), &got)
	if want := strings.TrimPrefix(a.url, "http://"); got.EndpointAddress != want {
		t.Errorf("got %q, want %q", got.EndpointAddress, want)
	}
	a.wantError(a.send(signedRequest{method: "GET", path: "/endpoint?endpointType=x", service: "iot"}), 400, "InvalidRequestException")
	a.wantError(a.send(signedRequest{method: "GET", path: "/endpoint", service: "iot", id: limitedID}), 403, "AccessDeniedException")
}
