package shadow

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"iot.wasm/internal/localiot/jsontext"
)

// mustNew returns a new Service.
func mustNew(t *testing.T, o Options) *Service {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustUpdate sends an update that must be accepted.
func mustUpdate(t *testing.T, s *Service, thing, name, body string) *Updated {
	t.Helper()
	updated, err := s.Update(thing, name, []byte(body))
	if err != nil {
		t.Fatalf("%s %s: %v", thing, name, err)
	}
	return updated
}

// wantCode checks the code of an error.
func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want code %d", err, code)
	}
}

// A Service without options uses the clock of the machine.
func TestDefaults(t *testing.T) {
	before := time.Now().Unix()
	var accepted response
	if err := json.Unmarshal(mustUpdate(t, mustNew(t, Options{}), "t", "", `{"state":{}}`).Accepted, &accepted); err != nil {
		t.Fatal(err)
	}
	if accepted.Timestamp < before || accepted.Timestamp > time.Now().Unix() {
		t.Errorf("timestamp %d, want the current time", accepted.Timestamp)
	}
}

func TestMaxThings(t *testing.T) {
	s := mustNew(t, Options{MaxThings: 2})
	mustUpdate(t, s, "a", "", `{"state":{}}`)
	mustUpdate(t, s, "b", "", `{"state":{}}`)
	_, err := s.Update("c", "", []byte(`{"state":{},"clientToken":"x"}`))
	wantCode(t, err, 500)
	if text := string(err.(*Error).Document()); !strings.Contains(text, `"message":"Internal service failure"`) ||
		!strings.Contains(text, `"clientToken":"x"`) {
		t.Error(text)
	}
	mustUpdate(t, s, "b", "second", `{"state":{}}`)
	mustUpdate(t, s, "a", "", `{"state":{"reported":{"n":1}}}`)

	// A tombstone makes room for a new thing.
	if _, err := s.Delete("a", "", nil); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, s, "c", "", `{"state":{}}`)
	if len(s.table.things) != 2 {
		t.Errorf("%d things, want 2", len(s.table.things))
	}
}

func TestMaxBytes(t *testing.T) {
	const limit = 1 << 20
	s := mustNew(t, Options{MaxBytes: limit})
	large := fmt.Sprintf(`{"state":{"reported":{"a":[%s0]}}}`, strings.Repeat("0,", 4000))
	n := 0
	for ; ; n++ {
		_, err := s.Update("t", fmt.Sprint(n), []byte(large))
		if err != nil {
			wantCode(t, err, 500)
			break
		}
		if s.table.bytes > limit {
			t.Fatalf("%d shadows take %d bytes, want at most %d", n+1, s.table.bytes, limit)
		}
	}
	if n < 2 || n > limit/4000/48 {
		t.Errorf("%d shadows fit", n)
	}
	mustUpdate(t, s, "t", "0", large) // It needs no more room than the same state before.

	// Deleted shadows leave tombstones, which do not fill the table.
	for i := range 10_000 {
		mustUpdate(t, s, "t", "1", `{"state":null}`)
		name := fmt.Sprint("deleted", i)
		mustUpdate(t, s, "t", name, `{"state":{}}`)
		if _, err := s.Delete("t", name, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.table.bytes > limit {
		t.Errorf("%d bytes, want at most %d", s.table.bytes, limit)
	}
	if text, err := s.Get("t", "0", nil); err != nil || len(text) < 8000 {
		t.Errorf("a shadow is lost: %s, %v", text, err)
	}
}

// The oldest tombstones make room.
func TestOldestTombstones(t *testing.T) {
	now := time.Unix(0, 0)
	s := mustNew(t, Options{MaxThings: 4, Now: func() time.Time { return now }})
	for _, thing := range []string{"c", "a", "b", "d"} {
		mustUpdate(t, s, thing, "", `{"state":{}}`)
		if _, err := s.Delete(thing, "", nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	mustUpdate(t, s, "new", "", `{"state":{}}`)
	for thing, version := range map[string]int64{"b": 2, "d": 2, "c": 1} {
		var accepted response
		if err := json.Unmarshal(mustUpdate(t, s, thing, "", `{"state":{}}`).Accepted, &accepted); err != nil {
			t.Fatal(err)
		}
		if accepted.Version != version {
			t.Errorf("%s: version %d, want %d", thing, accepted.Version, version)
		}
	}
}

// The count of bytes is that of the records, and returns to 0.
func TestMemoryCount(t *testing.T) {
	now := time.Unix(0, 0)
	s := mustNew(t, Options{Now: func() time.Time { return now }})
	for i := range 20 {
		mustUpdate(t, s, fmt.Sprint("t", i%3), fmt.Sprint("n", i%7), fmt.Sprintf(`{"state":{"desired":{"k%d":"v"}}}`, i))
	}
	counted := 0
	for _, records := range s.table.things {
		for _, r := range records {
			counted += r.memory()
		}
	}
	if counted != s.table.bytes {
		t.Errorf("the table counts %d bytes, want %d", s.table.bytes, counted)
	}
	for i := range 20 {
		s.Delete(fmt.Sprint("t", i%3), fmt.Sprint("n", i%7), nil)
	}
	now = now.Add(tombstoneLifetime + time.Second)
	for i := range 20 {
		_, err := s.Get(fmt.Sprint("t", i%3), fmt.Sprint("n", i%7), nil)
		wantCode(t, err, 404)
	}
	if s.table.bytes != 0 || len(s.table.things) != 0 {
		t.Errorf("%d bytes and %d things remain", s.table.bytes, len(s.table.things))
	}
}

// Of 8 updates at the same time with the same version, one is accepted.
func TestConcurrentUpdates(t *testing.T) {
	s := mustNew(t, Options{})
	var accepted [8]int
	var wg sync.WaitGroup
	for i := range accepted {
		wg.Go(func() {
			for version := range 200 {
				body := fmt.Sprintf(`{"state":{"desired":{"by":%d}},"version":%d}`, i, version)
				for {
					_, err := s.Update("t", "", []byte(body))
					if err == nil {
						accepted[i]++
						break
					}
					var e *Error
					if !errors.As(err, &e) || e.Code != 409 {
						t.Error(err)
						return
					}
					var current response
					if text, err := s.Get("t", "", nil); err == nil && json.Unmarshal(text, &current) == nil && current.Version > int64(version) {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range accepted {
		total += n
	}
	if total != 200 {
		t.Errorf("%d updates were accepted, want 200", total)
	}
}

// The documents of an update do not change with later updates.
func TestDocumentsAreCopies(t *testing.T) {
	s := mustNew(t, Options{Now: func() time.Time { return time.Unix(0, 0) }})
	mustUpdate(t, s, "t", "", `{"state":{"desired":{"a":{"b":[1]},"c":1}}}`)
	record := s.table.things["t"][""]
	before := string(jsontext.Encode(record.state.state()))
	mustUpdate(t, s, "t", "", `{"state":{"desired":{"a":{"b":null,"d":{"e":2}},"c":null},"reported":{"x":1}}}`)
	if after := string(jsontext.Encode(record.state.state())); after != before {
		t.Errorf("the old state became %s, want %s", after, before)
	}
}
