package jobs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/casetest"
	"iot.wasm/internal/localiot/jsontext"
)

// TestCases runs the cases in testdata. testdata/README.md describes their format.
func TestCases(t *testing.T) {
	casetest.Run(t, 50, func(t *testing.T) casetest.Runner { return newRunner(t) })
}

// runner executes the lines of a case.
type runner struct {
	service *Service
	now     float64 // seconds since 1970
	thing   string
	answer  map[string]any // the documents that the last request produced, decoded
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{thing: "lamp"}
	var err error
	r.service, err = New(Options{
		Now:         func() time.Time { return time.UnixMilli(int64(r.now * 1000)) },
		Region:      "us-east-1",
		Account:     "123456789012",
		ThingExists: func(thing string) bool { return thing != "unknown" },
		Notify:      r.notify,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// notify collects the notifications of the thing.
func (r *runner) notify(n Notification) {
	if n.Thing != r.thing {
		return
	}
	name := "notify"
	if n.Next {
		name = "notify-next"
	}
	if r.answer[name] != nil {
		panic("two notifications to " + name)
	}
	r.answer[name], _ = casetest.Decode(n.Document)
}

// Do implements casetest.Runner.
func (r *runner) Do(command, argument string) (isCheck bool, err error) {
	argument = casetest.Expand(argument)
	switch command {
	case "at":
		r.now, err = strconv.ParseFloat(argument, 64)
		return false, err
	case "thing":
		r.thing = argument
		return false, nil
	}
	document, ok, failure := r.request(command, argument)
	if !ok {
		return true, casetest.Check(r.answer, command, argument)
	}
	if failure != nil {
		var e *Error
		if !errors.As(failure, &e) {
			return false, fmt.Errorf("the error %v is not an *Error", failure)
		}
		r.answer["rejected"], err = casetest.Decode(e.Document())
	} else if document != nil {
		r.answer["accepted"], err = casetest.Decode(document)
	}
	return false, err
}

// request executes a request, and reports whether the command is one.
func (r *runner) request(command, argument string) (document []byte, ok bool, err error) {
	before := r.answer
	r.answer = make(map[string]any)
	id, argument2, _ := strings.Cut(argument, " ")
	control := func(v any, err error) ([]byte, bool, error) {
		if err != nil {
			return nil, true, err
		}
		return jsontext.Encode(v), true, nil
	}
	device := func(o Operation, id, body string) ([]byte, bool, error) {
		document, err := r.service.Handle(o, r.thing, id, []byte(body))
		return document, true, err
	}
	switch command {
	case "get":
		return device(OpGetPending, "", argument)
	case "start-next":
		return device(OpStartNext, "", argument)
	case "describe":
		return device(OpDescribe, id, argument2)
	case "update":
		return device(OpUpdate, id, argument2)
	case "unknown":
		return device("unknown", "", argument)
	case "create":
		request, err := ParseCreate(id, []byte(argument2))
		if err != nil {
			return nil, true, err
		}
		return control(r.service.Create(request))
	case "cancel", "force-cancel":
		request, err := ParseCancel([]byte(argument2))
		if err != nil {
			return nil, true, err
		}
		request.Force = command == "force-cancel"
		return control(r.service.Cancel(id, request))
	case "describe-job":
		return control(r.service.DescribeJob(id))
	case "describe-execution":
		return control(r.service.DescribeExecution(r.thing, id, nil))
	case "remove":
		return nil, true, r.service.RemoveThing(r.thing)
	case "tick":
		r.service.Tick()
		return nil, true, nil
	}
	r.answer = before
	return nil, false, nil
}
