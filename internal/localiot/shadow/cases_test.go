package shadow

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/casetest"
)

// TestCases runs the cases in testdata. testdata/README.md describes their format.
func TestCases(t *testing.T) {
	casetest.Run(t, 60, func(t *testing.T) casetest.Runner { return newRunner(t) })
}

// runner executes the lines of a case.
type runner struct {
	service     *Service
	now         int64
	thing, name string
	answer      map[string]any // the documents that the last request produced, decoded
	next        string         // the nextToken of the last list
}

func newRunner(t *testing.T) *runner {
	r := &runner{thing: "lamp"}
	r.service = mustNew(t, Options{Now: func() time.Time { return time.Unix(r.now, 0) }})
	return r
}

// Do implements casetest.Runner.
func (r *runner) Do(command, argument string) (isCheck bool, err error) {
	argument = casetest.Expand(argument)
	body := []byte(argument)
	switch command {
	case "at":
		r.now, err = strconv.ParseInt(argument, 10, 64)
	case "thing":
		r.thing = argument
	case "name":
		r.name = argument
	case "update":
		updated, err := r.service.Update(r.thing, r.name, body)
		if err != nil {
			return false, r.collect(err, nil)
		}
		return false, r.collect(nil, map[string][]byte{
			"accepted": updated.Accepted, "delta": updated.Delta, "documents": updated.Documents,
		})
	case "get":
		accepted, err := r.service.Get(r.thing, r.name, body)
		return false, r.collect(err, map[string][]byte{"accepted": accepted})
	case "delete":
		accepted, err := r.service.Delete(r.thing, r.name, body)
		return false, r.collect(err, map[string][]byte{"accepted": accepted})
	case "list":
		size, token, _ := strings.Cut(argument, " ")
		if token == "next" {
			token = r.next
		}
		pageSize, _ := strconv.Atoi(size)
		accepted, err := r.service.ListNamed(r.thing, pageSize, token)
		if err := r.collect(err, map[string][]byte{"accepted": accepted}); err != nil {
			return false, err
		}
		page, _ := r.answer["accepted"].(map[string]any)
		r.next, _ = page["nextToken"].(string)
	default:
		return true, casetest.Check(r.answer, command, argument)
	}
	return false, err
}

// collect stores the documents of a request, or the error document.
func (r *runner) collect(failure error, bodies map[string][]byte) error {
	r.answer = make(map[string]any)
	if failure != nil {
		var e *Error
		if !errors.As(failure, &e) {
			return fmt.Errorf("the error %v is not an *Error", failure)
		}
		bodies = map[string][]byte{"rejected": e.Document()}
	}
	for name, body := range bodies {
		if body == nil {
			continue
		}
		v, err := casetest.Decode(body)
		if err != nil {
			return fmt.Errorf("%s is %s: %v", name, body, err)
		}
		r.answer[name] = v
	}
	return nil
}
