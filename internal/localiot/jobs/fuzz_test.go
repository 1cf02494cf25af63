package jobs

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzHandle sends a request of each operation. The answer must be a JSON document, and a second
// description of the execution must agree with an update that was accepted.
func FuzzHandle(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", `{"clientToken":"t"}`, `{"status":"IN_PROGRESS","statusDetails":{"a":"b"},"stepTimeoutInMinutes":1}`,
		`{"status":"SUCCEEDED","expectedVersion":"2","includeJobExecutionState":true,"includeJobDocument":true}`,
		`{"executionNumber":1,"includeJobDocument":false}`, `{"clientToken":"\ud800","status":1e3}`, `{"a":[[[{"b":"\\\""}]]]}`,
	} {
		f.Add("a", []byte(seed))
		f.Add("$next", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		s := newService(t, Options{Now: func() time.Time { return time.Unix(1000, 0) }})
		mustCreate(t, s, "a", "lamp")
		for _, operation := range []Operation{OpGetPending, OpDescribe, OpUpdate, OpStartNext, "other"} {
			document, err := s.Handle(operation, "lamp", id, body)
			if err != nil {
				e, ok := err.(*Error)
				if !ok {
					t.Fatalf("%s: the error %v is not an *Error", operation, err)
				}
				document = e.Document()
			}
			if !json.Valid(document) || !utf8.Valid(document) {
				t.Fatalf("%s: %q", operation, document)
			}
			e, failure := s.DescribeExecution("lamp", "a", nil)
			if failure != nil {
				t.Fatal(failure)
			}
			switch {
			case operation == OpUpdate && err == nil:
				if r, _ := ParseUpdate(body); e.Status != r.Status || e.VersionNumber != 2 {
					t.Fatalf("%s: execution %+v", body, e)
				}
			case operation == OpUpdate || operation == OpGetPending || operation == OpDescribe:
				if e.Status != Queued || e.VersionNumber != 1 {
					t.Fatalf("%s %s: execution %+v", operation, body, e)
				}
			}
		}
	})
}

// FuzzCreate sends CreateJob and CancelJob requests. A job that was created must be described.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{
		`{"targets":["lamp"],"document":"{}"}`, `{"targets":["arn:aws:iot:r:1:thing/lamp"],"document":"[1]","timeoutConfig":{"inProgressTimeoutInMinutes":1}}`,
		`{"targets":null,"document":"","description":"x","comment":"c","reasonCode":"R"}`, `[]`, `{"documentSource":1}`, "null", "",
	} {
		f.Add("a", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		s := newService(t, Options{Region: "r", Account: "1"})
		r, err := ParseCreate(id, body)
		if err == nil {
			_, err = s.Create(r)
		}
		_, failure := s.DescribeJob(id)
		if (err == nil) != (failure == nil) {
			t.Fatalf("created: %v, described: %v", err, failure)
		}
		if cancel, failure := ParseCancel(body); failure == nil && err == nil {
			if j, err := s.Cancel(id, cancel); err == nil && j.Status != JobCanceled {
				t.Fatalf("canceled: %+v", j)
			}
		}
	})
}
