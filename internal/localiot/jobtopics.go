package localiot

import (
	"errors"
	"log/slog"
	"strings"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/jobs"
)

// jobTopics connects the jobs to the topics below $aws/things/<thing>/jobs (jobs-mqtt-api.html in the AWS
// IoT Core Developer Guide). It is a broker.Service.
type jobTopics struct {
	jobs *jobs.Service
	log  *slog.Logger
}

// jobRequest is what a request topic states.
type jobRequest struct {
	operation  jobs.Operation // "" if the topic is no request topic of AWS IoT
	thing, job string
}

// parseJobTopic reports whether a topic belongs to the jobs, and whether clients can publish to it. These
// are the request topics of AWS IoT:
//
//	$aws/things/<thing>/jobs/get
//	$aws/things/<thing>/jobs/start-next
//	$aws/things/<thing>/jobs/<job>/get
//	$aws/things/<thing>/jobs/<job>/update
//
// A message to an unknown topic is rejected with InvalidTopic. Clients cannot publish to the topics of
// answers and notifications.
func parseJobTopic(topic string) (r jobRequest, owned, request bool) {
	levels := strings.Split(topic, "/")
	if len(levels) < 4 || levels[0] != "$aws" || levels[1] != "things" || levels[3] != "jobs" {
		return r, false, false
	}
	r.thing = levels[2]
	levels = levels[4:]
	if len(levels) == 0 {
		return r, true, false
	}
	switch last := levels[len(levels)-1]; {
	case last == "accepted", last == "rejected":
		return r, true, false
	case len(levels) == 1:
		switch last {
		case "notify", "notify-next":
			return r, true, false
		case "get":
			r.operation = jobs.OpGetPending
		case "start-next":
			r.operation = jobs.OpStartNext
		}
	case len(levels) == 2:
		r.job = levels[0]
		switch last {
		case "get":
			r.operation = jobs.OpDescribe
		case "update":
			r.operation = jobs.OpUpdate
		}
	}
	return r, true, true
}

// Owns implements broker.Service.
func (t jobTopics) Owns(topic string) (owned, request bool) {
	_, owned, request = parseJobTopic(topic)
	return owned, request
}

// Handle implements broker.Service. The answer reaches the client of the request even if the client has
// not subscribed to its topic.
func (t jobTopics) Handle(request broker.Request) []broker.Message {
	r, _, _ := parseJobTopic(request.Topic)
	document, err := t.jobs.Handle(r.operation, r.thing, r.job, request.Payload)
	suffix, code := "/accepted", ""
	var rejected *jobs.Error
	if errors.As(err, &rejected) {
		suffix, document, code = "/rejected", rejected.Document(), string(rejected.Code)
	}
	t.log.Info("job", "client", request.ClientID, "topic", request.Topic, "bytes", len(request.Payload), "error", code)
	return []broker.Message{{Topic: request.Topic + suffix, Payload: document, ToRequester: true}}
}
