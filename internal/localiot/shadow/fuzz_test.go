package shadow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"iot.wasm/internal/localiot/casetest"
	"iot.wasm/internal/localiot/jsontext"
)

// FuzzDelta checks that reported has the value of desired for each key of desired after an update with
// the delta, and that there is no delta any more.
func FuzzDelta(f *testing.F) {
	for _, seed := range []string{"", "a1b2", "a(b1)c[12]|a(b2)c[21]", "a(b(c1))|a1", "a()b[]c6d7|a(b1)b()c5d8"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 500 {
			return // The state must be below its maximum size.
		}
		g := generator{program}
		desired, reported := g.object(maxLevels), g.object(maxLevels)
		s := mustNew(t, Options{Now: func() time.Time { return time.Unix(0, 0) }})
		updated, err := s.Update("t", "", fmt.Appendf(nil, `{"state":{"desired":%s,"reported":%s}}`, jsontext.Encode(desired), jsontext.Encode(reported)))
		if err != nil {
			t.Fatal(err)
		}
		if updated.Delta == nil {
			if !covers(reported, desired) {
				t.Fatalf("no delta between desired %v and reported %v", desired, reported)
			}
			return
		}
		var delta struct{ State json.RawMessage }
		if err := json.Unmarshal(updated.Delta, &delta); err != nil {
			t.Fatal(err)
		}
		updated, err = s.Update("t", "", fmt.Appendf(nil, `{"state":{"reported":%s}}`, delta.State))
		if err != nil {
			t.Fatalf("the update with the delta %s failed: %v", delta.State, err)
		}
		if updated.Delta != nil {
			t.Errorf("a delta remains: %s", updated.Delta)
		}
		text, err := s.Get("t", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := casetest.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		state := whole.(map[string]any)["state"].(map[string]any)
		if !covers(state["reported"], state["desired"]) {
			t.Errorf("after an update of reported with %s the shadow is %s", delta.State, text)
		}
	})
}

// A generator makes JSON values of a program: a list of members, each of which is a key, a to d, and a
// value. A value is a digit, which stands for a scalar, (members) or [values]. Other bytes end a list.
type generator struct{ program []byte }

// scalars are the values of the digits.
var scalars = []any{
	false, true, "", "x", json.Number("1"), json.Number("1.0"), json.Number("1e400"),
	json.Number("9007199254740993"), json.Number("9007199254740992"), json.Number("-0"),
}

// next removes and returns the next byte, or returns 0.
func (g *generator) next() byte {
	if len(g.program) == 0 {
		return 0
	}
	b := g.program[0]
	g.program = g.program[1:]
	return b
}

// object returns an object with at most that many levels.
func (g *generator) object(levels int) any {
	o := make(map[string]any)
	for {
		key := g.next()
		if key < 'a' || key > 'd' {
			return o
		}
		v, ok := g.value(levels - 1)
		if !ok {
			return o
		}
		o[string(key)] = v
	}
}

// value returns a value with at most that many levels. It reports false at the end of a list.
func (g *generator) value(levels int) (any, bool) {
	b := g.next()
	switch {
	case b >= '0' && b <= '9':
		return scalars[b-'0'], true
	case levels == 0:
	case b == '(':
		return g.object(levels), true
	case b == '[':
		list := []any{}
		for {
			v, ok := g.value(levels - 1)
			if !ok {
				return list, true
			}
			list = append(list, v)
		}
	}
	return nil, false
}

// covers reports whether got has the value of want: for each key of want if both are objects.
func covers(got, want any) bool {
	g, ok1 := got.(map[string]any)
	w, ok2 := want.(map[string]any)
	if !ok1 || !ok2 {
		return sameValue(got, want)
	}
	for key, v := range w {
		member, ok := g[key]
		if !ok || !covers(member, v) {
			return false
		}
	}
	return true
}

// sameValue reports whether two decoded JSON values are equal.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && len(a) == len(b) && covers(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		x, err1 := a.Float64()
		y, err2 := b.Float64()
		return ok && (a == b || err1 == nil && err2 == nil && x == y)
	}
	return a == b
}

// FuzzUpdate checks the parser and the documents of an update with any body.
func FuzzUpdate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if body, ok := bytes.CutPrefix(line, []byte("update ")); ok {
				if seed := casetest.Expand(string(bytes.TrimSpace(body))); len(seed) < 1000 { // Long seeds slow the fuzzer down.
					f.Add([]byte(seed))
				}
			}
		}
	}
	codes := map[int]bool{400: true, 409: true, 413: true, 415: true}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := mustNew(t, Options{Now: func() time.Time { return time.Unix(0, 0) }})
		updated, err := s.Update("t", "", body)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || !codes[e.Code] {
				t.Fatal(err)
			}
			if !json.Valid(e.Document()) || e.ClientToken != nil && len(*e.ClientToken) > maxClientToken {
				t.Fatalf("error document %s", e.Document())
			}
			if _, err := s.Get("t", "", nil); err == nil {
				t.Fatal("a rejected update created a shadow")
			}
			s.Get("t", "", body)
			s.Delete("t", "", body)
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) {
			t.Fatal("the body is not valid JSON in UTF-8")
		}

		// The accepted document has the state of the request.
		request, _ := casetest.Decode(body)
		accepted, err := casetest.Decode(updated.Accepted)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := accepted.(map[string]any)["state"], request.(map[string]any)["state"]; !reflect.DeepEqual(got, want) {
			t.Fatalf("accepted state %v, want %v", got, want)
		}

		// State and metadata have the same shape.
		var all struct{ Current struct{ State, Metadata any } }
		if err := json.Unmarshal(updated.Documents, &all); err != nil {
			t.Fatal(err)
		}
		if !sameShape(all.Current.State, all.Current.Metadata) {
			t.Fatalf("the metadata does not have the shape of the state: %s", updated.Documents)
		}

		// The same update again changes nothing but the version.
		first, _ := s.Get("t", "", nil)
		again, err := s.Update("t", "", withoutVersion(request))
		if err != nil {
			t.Fatalf("the same update failed: %v", err)
		}
		second, _ := s.Get("t", "", nil)
		var before, after response
		if err := errors.Join(json.Unmarshal(first, &before), json.Unmarshal(second, &after)); err != nil {
			t.Fatal(err)
		}
		before.Version++
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("after the same update again the shadow is %s, before it was %s", second, first)
		}
		if (again.Delta == nil) != (updated.Delta == nil) {
			t.Fatalf("delta %s, then %s", updated.Delta, again.Delta)
		}
	})
}

// withoutVersion returns a request without its member version.
func withoutVersion(request any) []byte {
	members := request.(map[string]any)
	delete(members, "version")
	return jsontext.Encode(members)
}

// sameShape reports whether metadata has the objects and arrays of state, and {"timestamp": 0} for each
// other value.
func sameShape(state, metadata any) bool {
	switch state := state.(type) {
	case map[string]any:
		m, ok := metadata.(map[string]any)
		if !ok || len(m) != len(state) {
			return false
		}
		for key, v := range state {
			if !sameShape(v, m[key]) {
				return false
			}
		}
		return true
	case []any:
		m, ok := metadata.([]any)
		if !ok || len(m) != len(state) {
			return false
		}
		for i, v := range state {
			if !sameShape(v, m[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(metadata, map[string]any{"timestamp": 0.0})
}
