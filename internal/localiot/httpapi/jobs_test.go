package httpapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/jobs"
	"iot.wasm/internal/localiot/things"
)

// jobsAPI is a testAPI with the real things and jobs, at the time now.
type jobsAPI struct {
	*testAPI
	now time.Time
}

func startJobsAPI(t *testing.T) *jobsAPI {
	t.Helper()
	a := &jobsAPI{startAPI(t), time.UnixMilli(1_700_000_000_250)}
	registry, err := things.New(things.Options{Region: "us-east-1", Account: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := jobs.New(jobs.Options{
		Now:         func() time.Time { return a.now },
		Region:      "us-east-1",
		Account:     "123456789012",
		ThingExists: registry.Exists,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.AddThings(registry, s.RemoveThing)
	a.AddJobs(s)
	a.AddJobsData(s)
	return a
}

// wantBody sends a request, and compares the body of the response.
func (a *jobsAPI) wantBody(service, method, path, body, want string) {
	a.t.Helper()
	got := a.send(signedRequest{service: service, method: method, path: path, body: body})
	a.want(got, nil)
	if got.body != want {
		a.t.Errorf("%s %s\n got %s\nwant %s", method, path, got.body, want)
	}
}

func TestThings(t *testing.T) {
	a := startJobsAPI(t)
	var created struct{ ThingName, ThingARN, ThingID string }
	create := signedRequest{service: "iot", method: "POST", path: "/things/lamp", body: `{"attributePayload":{"attributes":{"room":"kitchen"}}}`}
	a.want(a.send(create), &created)
	if created.ThingName != "lamp" || created.ThingARN != "arn:aws:iot:us-east-1:123456789012:thing/lamp" || len(created.ThingID) != 36 {
		t.Errorf("created %+v", created)
	}
	a.want(a.send(create), nil)
	a.wantBody("iot", "GET", "/things/lamp", "", `{"thingName":"lamp","thingArn":"`+created.ThingARN+`","thingId":"`+created.ThingID+
		`","defaultClientId":"lamp","attributes":{"room":"kitchen"},"version":1}`)
	for i := range 3 {
		a.want(a.send(signedRequest{service: "iot", method: "POST", path: fmt.Sprint("/things/switch", i)}), nil)
	}
	var page struct {
		Things    []struct{ ThingName string }
		NextToken string
	}
	a.want(a.send(signedRequest{service: "iot", method: "GET", path: "/things?maxResults=3"}), &page)
	if len(page.Things) != 3 || page.Things[0].ThingName != "lamp" || page.NextToken == "" {
		t.Errorf("page %+v", page)
	}
	a.wantBody("iot", "GET", "/things?maxResults=3&nextToken="+page.NextToken, "",
		`{"things":[{"thingName":"switch2","thingArn":"arn:aws:iot:us-east-1:123456789012:thing/switch2","attributes":{},"version":1}]}`)
	a.wantBody("iot", "GET", "/things?attributeName=room&attributeValue=bath", "", `{"things":[]}`)
	a.wantBody("iot", "DELETE", "/things/lamp?expectedVersion=1", "", `{}`)
	a.wantBody("iot", "DELETE", "/things/lamp", "", `{}`)

	for name, test := range map[string]struct {
		q      signedRequest
		status int
		code   string
	}{
		"other attributes": {signedRequest{method: "POST", path: "/things/switch1", body: `{"attributePayload":{"attributes":{"a":"b"}}}`}, 409, "ResourceAlreadyExistsException"},
		"no thing":         {signedRequest{method: "GET", path: "/things/lamp"}, 404, "ResourceNotFoundException"},
		"dots":             {signedRequest{method: "POST", path: "/things/.."}, 400, "InvalidRequestException"},
		"slash":            {signedRequest{method: "POST", path: "/things/a%2Fb"}, 400, "InvalidRequestException"},
		"not JSON":         {signedRequest{method: "POST", path: "/things/a", body: "{"}, 400, "InvalidRequestException"},
		"deep":             {signedRequest{method: "POST", path: "/things/a", body: strings.Repeat("[", 100_000)}, 400, "InvalidRequestException"},
		"type":             {signedRequest{method: "POST", path: "/things/a", body: `{"attributePayload":[]}`}, 400, "InvalidRequestException"},
		"thing type":       {signedRequest{method: "POST", path: "/things/a", body: `{"thingTypeName":"bulb"}`}, 404, "ResourceNotFoundException"},
		"billing group":    {signedRequest{method: "POST", path: "/things/a", body: `{"billingGroupName":"g"}`}, 404, "ResourceNotFoundException"},
		"version":          {signedRequest{method: "DELETE", path: "/things/switch1?expectedVersion=2"}, 409, "VersionConflictException"},
		"version NaN":      {signedRequest{method: "DELETE", path: "/things/switch1?expectedVersion=x"}, 400, "InvalidRequestException"},
		"page size":        {signedRequest{method: "GET", path: "/things?maxResults=251"}, 400, "InvalidRequestException"},
		"token":            {signedRequest{method: "GET", path: "/things?nextToken=%21"}, 400, "InvalidRequestException"},
		"list by type":     {signedRequest{method: "GET", path: "/things?thingTypeName=x"}, 404, "ResourceNotFoundException"},
		"not permitted":    {signedRequest{method: "POST", path: "/things/a", id: limitedID}, 403, "AccessDeniedException"},
		"list, refused":    {signedRequest{method: "GET", path: "/things", id: limitedID}, 403, "AccessDeniedException"},
		"other plane":      {signedRequest{method: "POST", path: "/things/a", service: "iotdata"}, 403, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.q.service == "" {
				test.q.service = "iot"
			}
			a.wantError(a.send(test.q), test.status, test.code)
		})
	}
	a.want(a.send(signedRequest{service: "iot", method: "POST", path: "/things/mine", id: limitedID}), nil)
}

// A job is created by the control plane, and run by the data plane.
func TestJobs(t *testing.T) {
	a := startJobsAPI(t)
	const (
		control = "iot"
		data    = "iot-jobs-data"
		arn     = "arn:aws:iot:us-east-1:123456789012:"
	)
	for _, thing := range []string{"lamp", "switch"} {
		a.want(a.send(signedRequest{service: control, method: "POST", path: "/things/" + thing}), nil)
	}
	a.wantBody(data, "GET", "/things/lamp/jobs", "", `{"inProgressJobs":[],"queuedJobs":[]}`)
	a.wantBody(data, "PUT", "/things/lamp/jobs/$next", "{}", `{}`)
	a.wantBody(control, "PUT", "/jobs/a", `{"targets":["`+arn+`thing/lamp","`+arn+`thing/switch"],"document":"{\"x\": 1}",`+
		`"description":"first","targetSelection":"SNAPSHOT","timeoutConfig":{"inProgressTimeoutInMinutes":5}}`,
		`{"jobArn":"`+arn+`job/a","jobId":"a","description":"first"}`)
	a.wantBody(control, "GET", "/jobs/a/job-document", "", `{"document":"{\"x\": 1}"}`)
	a.wantBody(data, "GET", "/things/lamp/jobs", "",
		`{"inProgressJobs":[],"queuedJobs":[{"jobId":"a","queuedAt":1700000000,"lastUpdatedAt":1700000000,"versionNumber":1,"executionNumber":1}]}`)
	a.wantBody(data, "GET", "/things/lamp/jobs/$next?includeJobDocument=false", "",
		`{"execution":{"jobId":"a","thingName":"lamp","status":"QUEUED","queuedAt":1700000000,"lastUpdatedAt":1700000000,"versionNumber":1,"executionNumber":1}}`)
	a.now = a.now.Add(time.Second)
	a.wantBody(data, "PUT", "/things/lamp/jobs/%24next", `{"statusDetails":{"step":"1"}}`,
		`{"execution":{"jobId":"a","thingName":"lamp","status":"IN_PROGRESS","statusDetails":{"step":"1"},"queuedAt":1700000000,"startedAt":1700000001,"lastUpdatedAt":1700000001,`+
			`"approximateSecondsBeforeTimedOut":300,"versionNumber":2,"executionNumber":1,"jobDocument":"{\"x\": 1}"}}`)
	a.wantBody(data, "POST", "/things/lamp/jobs/a", `{"status":"IN_PROGRESS","expectedVersion":2}`, `{}`)
	a.wantBody(control, "GET", "/things/lamp/jobs/a", "",
		`{"execution":{"jobId":"a","thingArn":"`+arn+`thing/lamp","statusDetails":{"detailsMap":{"step":"1"}},"status":"IN_PROGRESS","queuedAt":1700000000.25,`+
			`"startedAt":1700000001.25,"lastUpdatedAt":1700000001.25,"executionNumber":1,"versionNumber":3,"approximateSecondsBeforeTimedOut":300}}`)
	a.wantBody(data, "POST", "/things/lamp/jobs/a", `{"status":"SUCCEEDED","includeJobExecutionState":true,"includeJobDocument":true}`,
		`{"executionState":{"status":"SUCCEEDED","statusDetails":{"step":"1"},"versionNumber":4},"jobDocument":"{\"x\": 1}"}`)
	a.wantBody(control, "GET", "/jobs/a/things?status=SUCCEEDED", "",
		`{"executionSummaries":[{"thingArn":"`+arn+`thing/lamp","jobExecutionSummary":{"status":"SUCCEEDED","queuedAt":1700000000.25,"startedAt":1700000001.25,"lastUpdatedAt":1700000001.25,"executionNumber":1}}]}`)
	a.wantBody(control, "PUT", "/jobs/a/cancel?force=true", `{"comment":"no"}`, `{"jobArn":"`+arn+`job/a","jobId":"a","description":"first"}`)
	a.wantBody(control, "GET", "/jobs/a", "",
		`{"job":{"jobArn":"`+arn+`job/a","jobId":"a","targetSelection":"SNAPSHOT","status":"CANCELED","createdAt":1700000000.25,"lastUpdatedAt":1700000001.25,"completedAt":1700000001.25,`+
			`"forceCanceled":true,"comment":"no","targets":["`+arn+`thing/lamp","`+arn+`thing/switch"],"description":"first",`+
			`"jobProcessDetails":{"numberOfCanceledThings":1,"numberOfSucceededThings":1,"numberOfFailedThings":0,"numberOfRejectedThings":0,"numberOfQueuedThings":0,`+
			`"numberOfInProgressThings":0,"numberOfRemovedThings":0,"numberOfTimedOutThings":0},"timeoutConfig":{"inProgressTimeoutInMinutes":5}}}`)
	a.wantBody(control, "PUT", "/jobs/b", `{"targets":["`+arn+`thing/switch"],"document":"1"}`, `{"jobArn":"`+arn+`job/b","jobId":"b"}`)
	var page struct {
		Jobs      []struct{ JobID string }
		NextToken string
	}
	a.want(a.send(signedRequest{service: control, method: "GET", path: "/jobs?maxResults=1"}), &page)
	if len(page.Jobs) != 1 || page.Jobs[0].JobID != "b" || page.NextToken == "" {
		t.Errorf("page %+v", page)
	}
	a.wantBody(control, "GET", "/jobs?status=CANCELED&targetSelection=SNAPSHOT", "",
		`{"jobs":[{"jobArn":"`+arn+`job/a","jobId":"a","targetSelection":"SNAPSHOT","status":"CANCELED","createdAt":1700000000.25,"lastUpdatedAt":1700000001.25,"completedAt":1700000001.25}]}`)

	// A thing that is deleted has no pending executions any more.
	a.want(a.send(signedRequest{service: control, method: "DELETE", path: "/things/switch"}), nil)
	a.wantBody(control, "GET", "/things/switch/jobs?status=REMOVED", "",
		`{"executionSummaries":[{"jobId":"b","jobExecutionSummary":{"status":"REMOVED","queuedAt":1700000001.25,"lastUpdatedAt":1700000001.25,"executionNumber":1}}]}`)
}

func TestJobErrors(t *testing.T) {
	a := startJobsAPI(t)
	const create = `{"targets":["lamp"],"document":"{}"}`
	a.want(a.send(signedRequest{service: "iot", method: "POST", path: "/things/lamp"}), nil)
	a.want(a.send(signedRequest{service: "iot", method: "POST", path: "/things/mine"}), nil)
	for _, id := range []string{"done", "open"} {
		a.want(a.send(signedRequest{service: "iot", method: "PUT", path: "/jobs/" + id, body: create}), nil)
	}
	a.want(a.send(signedRequest{service: "iot-jobs-data", method: "POST", path: "/things/lamp/jobs/done", body: `{"status":"SUCCEEDED"}`}), nil)
	for name, test := range map[string]struct {
		service, method, path, body string
		status                      int
		code                        string
	}{
		"job exists":        {"iot", "PUT", "/jobs/done", create, 409, "ResourceAlreadyExistsException"},
		"no target":         {"iot", "PUT", "/jobs/x", `{"targets":["other"],"document":"{}"}`, 404, "ResourceNotFoundException"},
		"no body":           {"iot", "PUT", "/jobs/x", "", 400, "InvalidRequestException"},
		"not JSON":          {"iot", "PUT", "/jobs/x", "{", 400, "InvalidRequestException"},
		"deep":              {"iot", "PUT", "/jobs/x", `{"targets":` + strings.Repeat("[", 100_000), 400, "InvalidRequestException"},
		"large":             {"iot", "PUT", "/jobs/x", `{"targets":["lamp"],"document":"` + strings.Repeat(" ", 300_000) + `1"}`, 400, "InvalidRequestException"},
		"larger":            {"iot", "PUT", "/jobs/x", strings.Repeat(" ", maxBody+1), 413, "RequestEntityTooLargeException"},
		"job id":            {"iot", "PUT", "/jobs/..", create, 400, "InvalidRequestException"},
		"many targets":      {"iot", "PUT", "/jobs/x", `{"targets":["lamp"` + strings.Repeat(`,"lamp"`, 100) + `],"document":"{}"}`, 410, "LimitExceededException"},
		"no job":            {"iot", "GET", "/jobs/x", "", 404, "ResourceNotFoundException"},
		"no document":       {"iot", "GET", "/jobs/x/job-document", "", 404, "ResourceNotFoundException"},
		"cancel":            {"iot", "PUT", "/jobs/done/cancel", "", 400, "InvalidRequestException"},
		"cancel, force":     {"iot", "PUT", "/jobs/open/cancel?force=1", "", 400, "InvalidRequestException"},
		"list":              {"iot", "GET", "/jobs?maxResults=0", "", 400, "InvalidRequestException"},
		"list token":        {"iot", "GET", "/jobs?nextToken=%21", "", 400, "InvalidRequestException"},
		"list of no job":    {"iot", "GET", "/jobs/x/things", "", 404, "ResourceNotFoundException"},
		"list of no thing":  {"iot", "GET", "/things/../jobs", "", 400, "InvalidRequestException"},
		"no execution":      {"iot", "GET", "/things/mine/jobs/open", "", 404, "ResourceNotFoundException"},
		"delete":            {"iot", "DELETE", "/jobs/done", "", 404, "UnknownOperationException"},
		"pending, name":     {"iot-jobs-data", "GET", "/things/a%20b/jobs", "", 400, "InvalidRequestException"},
		"start, timeout":    {"iot-jobs-data", "PUT", "/things/lamp/jobs/$next", `{"stepTimeoutInMinutes":0}`, 400, "InvalidRequestException"},
		"describe":          {"iot-jobs-data", "GET", "/things/mine/jobs/open", "", 404, "ResourceNotFoundException"},
		"describe, done":    {"iot-jobs-data", "GET", "/things/lamp/jobs/done", "", 410, "TerminalStateException"},
		"describe, number":  {"iot-jobs-data", "GET", "/things/lamp/jobs/open?executionNumber=x", "", 400, "InvalidRequestException"},
		"describe, other":   {"iot-jobs-data", "GET", "/things/lamp/jobs/open?executionNumber=2", "", 404, "ResourceNotFoundException"},
		"describe, include": {"iot-jobs-data", "GET", "/things/lamp/jobs/open?includeJobDocument=x", "", 400, "InvalidRequestException"},
		"update, done":      {"iot-jobs-data", "POST", "/things/lamp/jobs/done", `{"status":"FAILED"}`, 409, "InvalidStateTransitionException"},
		"update, version":   {"iot-jobs-data", "POST", "/things/lamp/jobs/open", `{"status":"FAILED","expectedVersion":9}`, 409, "InvalidStateTransitionException"},
		"update, status":    {"iot-jobs-data", "POST", "/things/lamp/jobs/open", `{}`, 400, "InvalidRequestException"},
		"update, JSON":      {"iot-jobs-data", "POST", "/things/lamp/jobs/open", `{`, 400, "InvalidRequestException"},
		"other plane":       {"iotdata", "PUT", "/things/lamp/jobs/$next", "", 403, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			a.wantError(a.send(signedRequest{service: test.service, method: test.method, path: test.path, body: test.body}), test.status, test.code)
		})
	}
	for _, q := range []signedRequest{
		{service: "iot", method: "PUT", path: "/jobs/x", body: create},
		{service: "iot", method: "GET", path: "/jobs"},
		{service: "iot", method: "GET", path: "/things/lamp/jobs"},
		{service: "iot-jobs-data", method: "GET", path: "/things/lamp/jobs"},
	} {
		q.id = limitedID
		code := "AccessDeniedException"
		if q.service == "iot-jobs-data" {
			code = "ForbiddenException"
		}
		a.wantError(a.send(q), 403, code)
	}
	a.want(a.send(signedRequest{service: "iot-jobs-data", method: "GET", path: "/things/mine/jobs", id: limitedID}), nil)
}
