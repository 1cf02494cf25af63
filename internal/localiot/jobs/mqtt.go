package jobs

import (
	"errors"

	"iot.wasm/internal/localiot/jsontext"
)

// An Operation is a request of the device API by MQTT. Its text is the end of the request topic.
type Operation string

// The operations of the device API.
const (
	OpGetPending Operation = "get"        // $aws/things/<thing>/jobs/get
	OpStartNext  Operation = "start-next" // $aws/things/<thing>/jobs/start-next
	OpDescribe   Operation = "<jobId>/get"
	OpUpdate     Operation = "<jobId>/update"
)

// answer is the body of a message to the topic accepted (jobs-mqtt-api.html).
type answer struct {
	*Pending
	Execution *Execution `json:"execution,omitempty"`
	*Updated
	Timestamp   int64   `json:"timestamp"` // seconds since 1970
	ClientToken *string `json:"clientToken,omitempty"`
}

// Handle executes a request that came by MQTT, and returns the body of the message to the topic accepted.
// jobID is ignored for operations without a job.
func (s *Service) Handle(operation Operation, thing, jobID string, body []byte) ([]byte, error) {
	p := parse(body)
	a := answer{ClientToken: p.clientToken}
	var err error
	switch operation {
	case OpGetPending:
		if err = p.failure(); err == nil {
			a.Pending, err = s.GetPending(thing)
		}
	case OpStartNext:
		r := p.startNext()
		if err = p.failure(); err == nil {
			a.Execution, err = s.StartNext(thing, r)
		}
	case OpDescribe:
		r := p.describe()
		if err = p.failure(); err == nil {
			a.Execution, err = s.Describe(thing, jobID, r)
		}
	case OpUpdate:
		r := p.update()
		if err = p.failure(); err == nil {
			a.Updated, err = s.Update(thing, jobID, r)
		}
	default:
		err = reject(InvalidTopic, "The topic is not a request topic of jobs")
	}
	seconds := s.options.Now().Unix()
	if err != nil {
		var rejected *Error
		if !errors.As(err, &rejected) || rejected.Code == LimitExceeded { // not a code of the device API
			rejected = reject(InternalError, "An internal error has occurred")
		}
		rejected.ClientToken, rejected.Timestamp = p.clientToken, seconds
		return nil, rejected
	}
	a.Timestamp = seconds
	return jsontext.Encode(a), nil
}
