package shadow

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/jsontext"
)

// TestCases runs the cases in testdata. testdata/README.md describes their format.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		for _, c := range readCases(t, file) {
			n++
			t.Run(c.name, c.run)
		}
	}
	if n < 60 {
		t.Errorf("%d cases, want at least 60", n)
	}
}

// testCase is one case of a file in testdata.
type testCase struct {
	name, file, page string
	lines            []testLine
}

// testLine is a line of a case. number counts the lines of the file from 1.
type testLine struct {
	number            int
	command, argument string
}

// readCases reads the cases of a file.
func readCases(t *testing.T, file string) (cases []*testCase) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		command, argument, _ := strings.Cut(line, " ")
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case command == "case":
			cases = append(cases, &testCase{name: argument, file: filepath.Base(file)})
		case command == "page":
			cases[len(cases)-1].page = argument
		default:
			c := cases[len(cases)-1]
			c.lines = append(c.lines, testLine{i + 1, command, argument})
		}
	}
	return cases
}

// pages is the form of the member page of a case.
var pages = regexp.MustCompile(`^[a-z-]+\.html(#[A-Za-z_-]+)?( \(open\))?$`)

// run runs a case on a new Service.
func (c *testCase) run(t *testing.T) {
	if !pages.MatchString(c.page) {
		t.Fatalf("%s: the page %q is not a page of the documentation", c.file, c.page)
	}
	r := &runner{thing: "lamp"}
	r.service = mustNew(t, Options{Now: func() time.Time { return time.Unix(r.now, 0) }})
	checks := 0
	for _, line := range c.lines {
		isCheck, err := r.do(line.command, line.argument)
		if err != nil {
			t.Errorf("%s:%d: %v", c.file, line.number, err)
		}
		if isCheck {
			checks++
		}
	}
	if checks == 0 {
		t.Errorf("%s: the case checks nothing", c.file)
	}
}

// runner executes the lines of a case.
type runner struct {
	service     *Service
	now         int64
	thing, name string
	answer      map[string]any // the documents that the last request produced, decoded
	next        string         // the nextToken of the last list
}

// do executes a line, and reports whether it compares a document.
func (r *runner) do(command, argument string) (isCheck bool, err error) {
	argument = expand(argument)
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
		return true, r.check(command, argument)
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
		v, err := decodeJSON(body)
		if err != nil {
			return fmt.Errorf("%s is %s: %v", name, body, err)
		}
		r.answer[name] = v
	}
	return nil
}

// check compares a document, or a part of it, with the argument of a line.
func (r *runner) check(path, argument string) error {
	var got any = r.answer
	for _, key := range strings.Split(path, ".") {
		members, _ := got.(map[string]any)
		var ok bool
		if got, ok = members[key]; !ok {
			if argument == "absent" {
				return nil
			}
			return fmt.Errorf("%s: %q does not exist in %v", path, key, r.answer)
		}
	}
	if argument == "absent" {
		return fmt.Errorf("%s is %v, want none", path, got)
	}
	want, err := decodeJSON([]byte(argument))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s\n got %s\nwant %s", path, jsontext.Encode(got), argument)
	}
	return nil
}

// decodeJSON decodes a JSON text. It keeps the text of numbers.
func decodeJSON(text []byte) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// repetition is a macro in a request: {{x 3}} stands for xxx.
var repetition = regexp.MustCompile(`\{\{(\S+) (\d+)\}\}`)

// expand replaces the macros in a line.
func expand(s string) string {
	s = repetition.ReplaceAllStringFunc(s, func(macro string) string {
		m := repetition.FindStringSubmatch(macro)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
	return strings.ReplaceAll(s, `\xff`, "\xff")
}
