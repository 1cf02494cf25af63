package localiot

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// header returns a change of a badRequest: it sets headers, given as names and values.
func header(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
		}
	}
}

var asJSON = header("Content-Type", "application/json")

// postLocalJob sends a request to /local/jobs from a page of an origin, and returns the status and the job id.
func (s *testServer) postLocalJob(origin, body string) (status int, id string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/local/jobs", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	header("Content-Type", "application/json", "Origin", origin)(r)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct{ JobID string }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, got.JobID
}

func TestLocalJobs(t *testing.T) {
	s := start(t, Options{})
	status, id := s.postLocalJob(s.url, `{"targets":["one","two","arn:aws:iot:us-east-1:123456789012:thing/two"],"document":{"version": "1.1.0"}}`)
	if status != http.StatusOK || !strings.HasPrefix(id, "local-") {
		t.Fatalf("got %d, job %q", status, id)
	}
	for _, thing := range []string{"one", "two"} {
		e, err := s.jobs.DescribeExecution(thing, id, nil)
		if err != nil || e.Status != "QUEUED" {
			t.Errorf("%s: %+v, %v", thing, e, err)
		}
	}
	if document, err := s.jobs.Document(id); err != nil || document != `{"version": "1.1.0"}` {
		t.Errorf("the document is %q, %v", document, err)
	}

	// A stated id is used. It cannot be used again.
	const named = `{"jobId":"update-1","targets":["one"],"document":"text"}`
	if status, id := s.postLocalJob(s.url, named); status != http.StatusOK || id != "update-1" {
		t.Errorf("got %d, job %q", status, id)
	}
	if status, _ := s.postLocalJob(s.url, named); status != http.StatusBadRequest {
		t.Errorf("the second job with the id: %d", status)
	}
}

// The origins that may read /local.json cannot create jobs.
func TestLocalJobsOfOtherOrigins(t *testing.T) {
	s := start(t, Options{AllowedOrigins: []string{"https://app.example", "null"}})
	for _, origin := range []string{"https://app.example", "null", "http://localhost:5173", strings.Replace(s.url, "http:", "https:", 1), "", s.url + "/"} {
		if status, _ := s.postLocalJob(origin, `{"targets":["one"],"document":{}}`); status != http.StatusForbidden {
			t.Errorf("origin %q: %d, want 403", origin, status)
		}
	}
	if s.things.Exists("one") {
		t.Error("a refused request has registered a thing")
	}
}
