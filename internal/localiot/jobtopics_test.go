package localiot

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/jobs"
	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// createJob creates a job for a thing, which it registers.
func (s *testServer) createJob(id, thing string) {
	s.t.Helper()
	if _, err := s.things.Create(thing, nil); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.jobs.Create(jobs.CreateRequest{JobID: id, Document: `{"do":"` + id + `"}`, Targets: []string{thing}}); err != nil {
		s.t.Fatal(err)
	}
}

// receiveJob reads a message with that topic below $aws/things/lamp/jobs, and returns its document without
// times.
func receiveJob(t *testing.T, c *mqtttest.Client, topic string) string {
	t.Helper()
	p := mqtttest.Receive[*packets.Publish](c)
	if p.Topic != "$aws/things/lamp/jobs/"+topic {
		t.Fatalf("received %v, want %s", p, topic)
	}
	if p.QoS == 1 {
		c.Send(&packets.Puback{PacketID: p.PacketID})
	}
	var document any
	if err := json.Unmarshal(p.Payload, &document); err != nil {
		t.Fatalf("%s: %v", p.Payload, err)
	}
	removeTimes(document)
	text, err := json.Marshal(document) // sorts the members
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func removeTimes(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"timestamp", "queuedAt", "startedAt", "lastUpdatedAt"} {
			delete(v, name)
		}
		for _, member := range v {
			removeTimes(member)
		}
	case []any:
		for _, element := range v {
			removeTimes(element)
		}
	}
}

// A device runs two jobs. It has subscribed to the notifications only.
func TestJob(t *testing.T) {
	s := start(t, Options{})
	notified, _ := s.connect("notified", nil)
	notified.Subscribe(1, "$aws/things/lamp/jobs/notify", 1)
	next, _ := s.connect("next", nil)
	next.Subscribe(1, "$aws/things/lamp/jobs/notify-next", 1)
	device, _ := s.connect("device", nil)
	other, _ := s.connect("other", nil)
	request := func(topic, body, answer, document string) {
		t.Helper()
		device.Publish(0, "$aws/things/lamp/jobs/"+topic, body)
		if got := receiveJob(t, device, topic+answer); got != document {
			t.Errorf("%s\n got %s\nwant %s", topic, got, document)
		}
	}
	want := func(c *mqtttest.Client, topic, document string) {
		t.Helper()
		if got := receiveJob(t, c, topic); got != document {
			t.Errorf("%s\n got %s\nwant %s", topic, got, document)
		}
	}

	request("get", `{"clientToken":"1"}`, "/accepted", `{"clientToken":"1","inProgressJobs":[],"queuedJobs":[]}`)
	request("start-next", `{}`, "/accepted", `{}`)
	s.createJob("a", "lamp")
	want(notified, "notify", `{"jobs":{"QUEUED":[{"executionNumber":1,"jobId":"a","versionNumber":1}]}}`)
	want(next, "notify-next", `{"execution":{"executionNumber":1,"jobDocument":{"do":"a"},"jobId":"a","status":"QUEUED","versionNumber":1}}`)
	s.createJob("b", "lamp")
	want(notified, "notify", `{"jobs":{"QUEUED":[{"executionNumber":1,"jobId":"a","versionNumber":1},{"executionNumber":1,"jobId":"b","versionNumber":1}]}}`)
	request("$next/get", `{"includeJobDocument":false}`, "/accepted",
		`{"execution":{"executionNumber":1,"jobId":"a","status":"QUEUED","thingName":"lamp","versionNumber":1}}`)
	request("start-next", `{"statusDetails":{"step":"1"}}`, "/accepted",
		`{"execution":{"executionNumber":1,"jobDocument":{"do":"a"},"jobId":"a","status":"IN_PROGRESS","statusDetails":{"step":"1"},"thingName":"lamp","versionNumber":2}}`)
	request("a/update", `{"status":"SUCCEEDED","expectedVersion":1,"clientToken":"x"}`, "/rejected",
		`{"clientToken":"x","code":"VersionMismatch","executionState":{"status":"IN_PROGRESS","statusDetails":{"step":"1"},"versionNumber":2},`+
			`"message":"Expected version 1 but the version of the job execution is 2"}`)
	request("a/update", `{"status":"SUCCEEDED","expectedVersion":2,"includeJobExecutionState":true}`, "/accepted",
		`{"executionState":{"status":"SUCCEEDED","statusDetails":{"step":"1"},"versionNumber":3}}`)
	want(notified, "notify", `{"jobs":{"QUEUED":[{"executionNumber":1,"jobId":"b","versionNumber":1}]}}`)
	want(next, "notify-next", `{"execution":{"executionNumber":1,"jobDocument":{"do":"b"},"jobId":"b","status":"QUEUED","versionNumber":1}}`)
	request("a/get", "", "/rejected",
		`{"code":"TerminalStateReached","message":"Job execution for thing lamp and job a has reached the terminal state SUCCEEDED"}`)
	request("none", `{"clientToken":"x"}`, "/rejected",
		`{"clientToken":"x","code":"InvalidTopic","message":"The topic is not a request topic of jobs"}`)
	if _, err := s.jobs.Cancel("b", jobs.CancelRequest{}); err != nil {
		t.Fatal(err)
	}
	want(notified, "notify", `{"jobs":{}}`)
	want(next, "notify-next", `{}`)
	other.Ping() // The other client has received nothing.
	device.Ping()
}

// A client that has subscribed to an answer receives it once. Other clients do not receive it.
func TestJobAnswerWithSubscription(t *testing.T) {
	s := start(t, Options{})
	other, _ := s.connect("other", nil)
	other.Subscribe(1, "$aws/things/lamp/jobs/get/#", 0)
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "$aws/things/lamp/jobs/get/accepted", 1)
	c.Subscribe(2, "$aws/things/lamp/jobs/+/accepted", 0)
	c.Publish(0, "$aws/things/lamp/jobs/get", "")
	receiveJob(t, c, "get/accepted")
	c.Ping()
	other.Ping() // The other client has received nothing.
}

func TestJobTopics(t *testing.T) {
	const (
		foreign = iota
		answer
		unknown // a request that is rejected with InvalidTopic
		request
	)
	for topic, want := range map[string]int{
		"$aws/things/t/jobs/get":                     request,
		"$aws/things/t/jobs/start-next":              request,
		"$aws/things/t/jobs/j/get":                   request,
		"$aws/things/t/jobs/$next/get":               request,
		"$aws/things/t/jobs/j/update":                request,
		"$aws/things/t/jobs/get/get":                 request,
		"$aws/things/t/jobs/notify/update":           request,
		"$aws/things//jobs/get":                      request, // rejected, because the thing has no name
		"$aws/things/t/jobs//get":                    request, // rejected, because the job has no id
		"$aws/things/t/jobs/get/accepted":            answer,
		"$aws/things/t/jobs/start-next/rejected":     answer,
		"$aws/things/t/jobs/j/update/accepted":       answer,
		"$aws/things/t/jobs/j/get/rejected":          answer,
		"$aws/things/t/jobs/notify":                  answer,
		"$aws/things/t/jobs/notify-next":             answer,
		"$aws/things/t/jobs":                         answer,
		"$aws/things/t/jobs/":                        unknown,
		"$aws/things/t/jobs/put":                     unknown,
		"$aws/things/t/jobs/j/put":                   unknown,
		"$aws/things/t/jobs/j/namespace-x/update":    unknown,
		"$aws/things/t/jobs/j/start-next":            unknown,
		"$aws/things/t/shadow/get":                   foreign,
		"$aws/things/t":                              foreign,
		"$aws/things/a/b/jobs/get":                   foreign,
		"$aws/events/job/j/completed":                foreign,
		"x/$aws/things/t/jobs/get":                   foreign,
		"$share/g/$aws/things/t/jobs/notify-next/x/": foreign,
	} {
		owned, isRequest := jobTopics{}.Owns(topic)
		r, _, _ := parseJobTopic(topic)
		if owned != (want >= answer) || isRequest != (want >= unknown) || (r.operation != "") != (want == request) {
			t.Errorf("%s: owned %v, request %v, operation %q", topic, owned, isRequest, r.operation)
		}
	}
}

// Clients cannot publish notifications and answers.
func TestJobAnswersCannotBeForged(t *testing.T) {
	s := start(t, Options{})
	watcher, _ := s.connect("watcher", nil)
	watcher.Subscribe(1, "$aws/things/lamp/jobs/#", 1)
	forger, _ := s.connect("forger", nil)
	for i, topic := range []string{"notify", "notify-next", "get/accepted", "a/update/accepted", "a/get/rejected"} {
		forger.Publish(uint16(i+1), "$aws/things/lamp/jobs/"+topic, `{}`)
		if ack := mqtttest.Receive[*packets.Puback](forger); ack.ReasonCode != 0x87 {
			t.Errorf("%s: PUBACK 0x%02X, want 0x87", topic, ack.ReasonCode)
		}
	}
	watcher.Ping() // The watcher has received nothing.
}

// Bad requests get the answers of AWS IoT, and the server continues.
func TestJobBadRequests(t *testing.T) {
	s := start(t, Options{})
	s.createJob("a", "lamp")
	c, _ := s.connect("c", nil)
	for _, test := range []struct{ topic, body, code string }{
		{"get", "{", "InvalidJson"},
		{"get", "\xff", "InvalidJson"},
		{"start-next", strings.Repeat("[", 120_000), "InvalidJson"},
		{"a/update", `{"status":"SUCCEEDED","statusDetails":{"a":"` + strings.Repeat("x", 100_000) + `"}}`, "InvalidRequest"},
		{"../get", "{}", "InvalidRequest"},
		{strings.Repeat("x", 65) + "/get", "", "InvalidRequest"},
		{"b/get", "", "ResourceNotFound"},
	} {
		c.Publish(0, "$aws/things/lamp/jobs/"+test.topic, test.body)
		if got := receiveJob(t, c, test.topic+"/rejected"); !strings.Contains(got, `"code":"`+test.code+`"`) {
			t.Errorf("%s: %s, want %s", test.topic, got, test.code)
		}
	}
}

// A timeout is notified without a request.
func TestJobTimeout(t *testing.T) {
	s := start(t, Options{Faults: true})
	s.createJob("a", "lamp")
	c, _ := s.connect("c", nil)
	c.Publish(0, "$aws/things/lamp/jobs/start-next", `{"stepTimeoutInMinutes":5}`)
	receiveJob(t, c, "start-next/accepted")
	c.Subscribe(1, "$aws/things/lamp/jobs/notify-next", 1)
	s.control(`{"clockSkew":400}`, 0)
	if got := receiveJob(t, c, "notify-next"); got != `{}` {
		t.Errorf("notify-next %s", got)
	}
}

// Jobs, things and shadows survive the end of the process.
func TestJobsAndShadowsWithData(t *testing.T) {
	o := Options{Data: t.TempDir()}
	s := start(t, o)
	s.createJob("a", "lamp")
	c, _ := s.connect("c", nil)
	c.Publish(0, "$aws/things/lamp/jobs/start-next", `{"statusDetails":{"step":"1"}}`)
	receiveJob(t, c, "start-next/accepted")
	c.Publish(1, "$aws/things/lamp/shadow/update", `{"state":{"reported":{"on":true}}}`)
	mqtttest.Receive[*packets.Puback](c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = start(t, o)
	if !s.things.Exists("lamp") {
		t.Error("the thing is lost")
	}
	c, _ = s.connect("c", nil)
	c.Subscribe(1, "$aws/things/lamp/shadow/get/accepted", 0)
	c.Publish(0, "$aws/things/lamp/shadow/get", "")
	if p := mqtttest.Receive[*packets.Publish](c); !strings.Contains(string(p.Payload), `"on":true`) {
		t.Errorf("the shadow is %s", p.Payload)
	}
	c.Publish(0, "$aws/things/lamp/jobs/a/update", `{"status":"SUCCEEDED","expectedVersion":2,"includeJobExecutionState":true}`)
	if got := receiveJob(t, c, "a/update/accepted"); got != `{"executionState":{"status":"SUCCEEDED","statusDetails":{"step":"1"},"versionNumber":3}}` {
		t.Error(got)
	}
}

// A job that is created by HTTP is notified by MQTT. A change by HTTP is notified too.
func TestJobByHTTP(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	c.Subscribe(1, "$aws/things/lamp/jobs/notify-next", 1)
	for _, q := range []struct{ service, method, path, body, notified string }{
		{"iot", "POST", "/things/lamp", "", ""},
		{"iot", "PUT", "/jobs/a", `{"targets":["arn:aws:iot:us-east-1:123456789012:thing/lamp"],"document":"{}"}`,
			`{"execution":{"executionNumber":1,"jobDocument":{},"jobId":"a","status":"QUEUED","versionNumber":1}}`},
		{"iot-jobs-data", "POST", "/things/lamp/jobs/a", `{"status":"SUCCEEDED"}`, `{}`},
		{"iot", "PUT", "/jobs/b", `{"targets":["lamp"],"document":"{}"}`,
			`{"execution":{"executionNumber":1,"jobDocument":{},"jobId":"b","status":"QUEUED","versionNumber":1}}`},
		{"iot", "DELETE", "/things/lamp", "", `{}`},
	} {
		if r, body := s.call(q.service, q.method, q.path, q.body); r.StatusCode != 200 {
			t.Fatalf("%s %s: %s %s", q.method, q.path, r.Status, body)
		}
		if q.notified == "" {
			continue
		}
		if got := receiveJob(t, c, "notify-next"); got != q.notified {
			t.Errorf("%s %s: notified %s, want %s", q.method, q.path, got, q.notified)
		}
	}
}

// The queue of notifications is bounded. Notifications are published in their order.
func TestJobNotifierBound(t *testing.T) {
	var log strings.Builder
	n := newJobNotifier(slog.New(slog.NewTextHandler(&log, nil)))
	document := make([]byte, 1<<20)
	for i := range 20 {
		n.notify(jobs.Notification{Thing: fmt.Sprint(i), Next: i%2 == 1, Document: document})
	}
	if n.bytes > maxNotifications || len(n.queue) != 15 {
		t.Errorf("%d bytes and %d notifications wait", n.bytes, len(n.queue))
	}
	if got := strings.Count(log.String(), "dropped"); got != 5 {
		t.Errorf("%d notifications were reported as dropped, want 5", got)
	}
	published := 0
	n.publish(func(p broker.Publication) error {
		want := fmt.Sprintf("$aws/things/%d/jobs/notify", published)
		if published%2 == 1 {
			want += "-next"
		}
		if p.Topic != want || p.QoS != 1 || len(p.Payload) != len(document) {
			t.Errorf("published %s, want %s", p.Topic, want)
		}
		published++
		return nil
	})
	if published != 15 || n.bytes != 0 {
		t.Errorf("%d notifications were published, %d bytes wait", published, n.bytes)
	}
	n.notify(jobs.Notification{Thing: "t", Document: document})
	if len(n.queue) != 1 {
		t.Error("a notification was dropped although the queue is empty")
	}
}
