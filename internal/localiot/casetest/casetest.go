// Package casetest runs the test cases of services that exchange JSON documents. The README.md in the testdata
// of such a service describes the format.
package casetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/jsontext"
)

// A Runner executes the lines of one case. It expands the macros of a line with Expand, and compares a
// document with Check. Do reports whether the line compares a document.
type Runner interface {
	Do(command, argument string) (isCheck bool, err error)
}

// page is the form of the member page of a case.
var page = regexp.MustCompile(`^(API_)?[A-Za-z_-]+\.html(#[A-Za-z_-]+)?( \(open\))?$`)

// Run runs the cases in testdata/*.txt, each with a new Runner. There must be at least least cases, and each
// must compare a document.
func Run(t *testing.T, least int, newRunner func(t *testing.T) Runner) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		for _, c := range read(t, file) {
			n++
			t.Run(c.name, func(t *testing.T) { c.run(t, newRunner(t)) })
		}
	}
	if n < least {
		t.Errorf("%d cases, want at least %d", n, least)
	}
}

// testCase is one case of a file.
type testCase struct {
	name, file, page string
	lines            []line
}

// line is a line of a case. number counts the lines of the file from 1.
type line struct {
	number            int
	command, argument string
}

// read reads the cases of a file.
func read(t *testing.T, file string) (cases []*testCase) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range strings.Split(string(text), "\n") {
		command, argument, _ := strings.Cut(text, " ")
		switch {
		case text == "", strings.HasPrefix(text, "#"):
		case command == "case":
			cases = append(cases, &testCase{name: argument, file: filepath.Base(file)})
		case command == "page":
			cases[len(cases)-1].page = argument
		default:
			c := cases[len(cases)-1]
			c.lines = append(c.lines, line{i + 1, command, argument})
		}
	}
	return cases
}

func (c *testCase) run(t *testing.T, r Runner) {
	if !page.MatchString(c.page) {
		t.Fatalf("%s: the page %q is not a page of the documentation", c.file, c.page)
	}
	checks := 0
	for _, line := range c.lines {
		isCheck, err := r.Do(line.command, line.argument)
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

// Check compares a part of documents with the argument of a line: a JSON text, absent or present. path
// contains the names of members and the indices of elements, separated by dots.
func Check(documents map[string]any, path, argument string) error {
	var got any = documents
	for _, key := range strings.Split(path, ".") {
		if list, ok := got.([]any); ok {
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(list) {
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
			return fmt.Errorf("%s: %q does not exist in %s", path, key, jsontext.Encode(documents))
		}
	}
	switch argument {
	case "absent":
		return fmt.Errorf("%s is %s, want none", path, jsontext.Encode(got))
	case "present":
		return nil
	}
	want, err := Decode([]byte(argument))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s\n got %s\nwant %s", path, jsontext.Encode(got), argument)
	}
	return nil
}

// Decode decodes a JSON text. It keeps the text of numbers.
func Decode(text []byte) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// repetition is a macro in a request: {{x 3}} stands for xxx.
var repetition = regexp.MustCompile(`\{\{(\S+) (\d+)\}\}`)

// Expand replaces the macros in a line.
func Expand(s string) string {
	s = repetition.ReplaceAllStringFunc(s, func(macro string) string {
		m := repetition.FindStringSubmatch(macro)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
	return strings.ReplaceAll(s, `\xff`, "\xff")
}
