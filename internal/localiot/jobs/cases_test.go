package jobs

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
	if n < 50 {
		t.Errorf("%d cases, want at least 50", n)
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
var pages = regexp.MustCompile(`^(API_)?[A-Za-z_-]+\.html(#[A-Za-z_-]+)?( \(open\))?$`)

// run runs a case on a new Service.
func (c *testCase) run(t *testing.T) {
	if !pages.MatchString(c.page) {
		t.Fatalf("%s: the page %q is not a page of the documentation", c.file, c.page)
	}
	r := newRunner(t)
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
	r.answer[name], _ = decodeJSON(n.Document)
}

// do executes a line, and reports whether it compares a document.
func (r *runner) do(command, argument string) (isCheck bool, err error) {
	argument = expand(argument)
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
		return true, r.check(command, argument)
	}
	if failure != nil {
		var e *Error
		if !errors.As(failure, &e) {
			return false, fmt.Errorf("the error %v is not an *Error", failure)
		}
		r.answer["rejected"], err = decodeJSON(e.Document())
	} else if document != nil {
		r.answer["accepted"], err = decodeJSON(document)
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

// check compares a document, or a part of it, with the argument of a line.
func (r *runner) check(path, argument string) error {
	var got any = r.answer
	for _, key := range strings.Split(path, ".") {
		if list, ok := got.([]any); ok {
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(list) {
				return fmt.Errorf("%s: the list is %s", path, jsontext.Encode(list))
			}
			got = list[i]
			continue
		}
		members, _ := got.(map[string]any)
		var ok bool
		if got, ok = members[key]; !ok {
			if argument == "absent" {
				return nil
			}
			return fmt.Errorf("%s: %q does not exist in %s", path, key, jsontext.Encode(r.answer))
		}
	}
	if argument == "absent" {
		return fmt.Errorf("%s is %s, want none", path, jsontext.Encode(got))
	}
	if argument == "present" {
		return nil
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
