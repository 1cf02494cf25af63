package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCases runs the cases in testdata. testdata/README.md describes their format.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\ncase ")[1:] {
			n++
			name, lines, _ := strings.Cut(c, "\n")
			t.Run(name, func(t *testing.T) { runCase(t, strings.Split(lines, "\n")) })
		}
	}
	if n < 60 {
		t.Errorf("%d cases, want at least 60", n)
	}
}

var (
	casePages  = regexp.MustCompile(`^((IAM|api)/)?[A-Za-z_-]+\.html(#[A-Za-z_-]+)?( \(open\))?$`)
	repetition = regexp.MustCompile(`\{\{(.) (\d+)\}\}`)
)

const arnPrefix = "arn:aws:iot:us-east-1:123456789012:"

// expandText replaces the abbreviations in a document.
func expandText(text string) string {
	text = repetition.ReplaceAllStringFunc(text, func(match string) string {
		parts := repetition.FindStringSubmatch(match)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	return strings.ReplaceAll(text, "~", arnPrefix)
}

func runCase(t *testing.T, lines []string) {
	var (
		documents  []*Document
		connection Connection
		things     = make(map[string]map[string]string)
		session    *Session
		refused    error
		requests   int
	)
	for _, line := range lines {
		command, argument, _ := strings.Cut(line, " ")
		if (command == "+" || command == "-" || command == "client") && session == nil {
			session = NewSession("us-east-1", documents, connection, func(name string) (map[string]string, bool) {
				attributes, ok := things[name]
				return attributes, ok
			})
		}
		switch command {
		case "", "#":
		case "page":
			if !casePages.MatchString(argument) {
				t.Fatalf("the page %q is not a page of the documentation", argument)
			}
		case "policy", "allow", "deny":
			if command != "policy" {
				argument = oneStatement(t, command, argument)
			}
			d, err := Parse(expandText(argument))
			if err != nil {
				t.Fatal(err)
			}
			documents = append(documents, d)
		case "malformed":
			if _, refused = Parse(expandText(argument)); refused == nil {
				t.Fatal("the document is accepted")
			}
		case "because":
			var e *Error
			if !errors.As(refused, &e) || e.Code != "MalformedPolicyException" || !strings.Contains(e.Message, argument) {
				t.Errorf("the error is %v, want one with %q", refused, argument)
			}
			requests++
		case "warning":
			if !slices.ContainsFunc(documents, func(d *Document) bool { return strings.Contains(strings.Join(d.Warnings(), "\n"), argument) }) {
				t.Errorf("no document has the warning %q", argument)
			}
		case "address":
			connection.Address = argument
		case "domain":
			connection.Domain = argument
		case "thing":
			name, pairs, _ := strings.Cut(argument, " ")
			things[name] = make(map[string]string)
			for _, pair := range strings.Fields(pairs) {
				attribute, value, _ := strings.Cut(pair, "=")
				things[name][attribute] = value
			}
		case "client":
			session.Connect(argument, false, false)
		case "+", "-":
			requests++
			if got := perform(t, session, argument); got != (command == "+") {
				t.Errorf("%s: allowed is %v; %s", argument, got, session.Refusal())
			}
		default:
			t.Fatalf("the line %q is not valid", line)
		}
	}
	if requests == 0 {
		t.Error("the case checks nothing")
	}
}

// oneStatement returns a document with one statement.
func oneStatement(t *testing.T, effect, argument string) string {
	t.Helper()
	argument, condition, _ := strings.Cut(argument, " {")
	fields := strings.Fields(argument)
	if len(fields) < 2 {
		t.Fatalf("%q has no resource", argument)
	}
	statement := map[string]any{
		"Effect":   map[string]string{"allow": "Allow", "deny": "Deny"}[effect],
		"Action":   strings.Split(fields[0], ","),
		"Resource": fields[1:],
	}
	if condition != "" {
		statement["Condition"] = json.RawMessage("{" + condition)
	}
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

// perform sends a request of a case to a Session. It performs the request twice, because the second result
// of Receive comes from the cache.
func perform(t *testing.T, s *Session, text string) bool {
	t.Helper()
	fields := strings.Fields(text)
	has := func(option string) bool { return slices.Contains(fields[2:], option) }
	once := func() bool {
		switch fields[0] {
		case "connect":
			return s.Connect(fields[1], has("persistent"), has("will"))
		case "publish":
			return s.Publish(fields[1], has("retain"))
		case "subscribe":
			return s.Subscribe(fields[1])
		case "receive":
			return s.Receive(fields[1])
		}
		t.Fatalf("the request %q is not valid", text)
		return false
	}
	first := once()
	if second := once(); first != second {
		t.Errorf("%s: allowed is %v, then %v", text, first, second)
	}
	return first
}

// A refusal names the action, the resource and the reason.
func TestRefusal(t *testing.T) {
	d, err := Parse(expandText(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"~client/*"},{"Sid":"secrets","Effect":"Deny","Action":"*","Resource":"~topicfilter/secret"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSession("us-east-1", []*Document{d}, Connection{}, nil)
	if !s.MayConnect() || !s.Connect("c", false, false) || s.Refusal() != "" {
		t.Errorf("Connect is refused: %s", s.Refusal())
	}
	for _, test := range []struct {
		allowed bool
		want    string
	}{
		{s.Publish("a", false), "iot:Publish on " + arnPrefix + "topic/a: no statement allows it"},
		{s.Subscribe("secret"), "iot:Subscribe on " + arnPrefix + "topicfilter/secret: statement secrets denies it"},
		{s.Allows("iot:GetThingShadow", "thing/lamp"), "iot:GetThingShadow on " + arnPrefix + "thing/lamp: no statement allows it"},
		{s.Allows("iot:ListRetainedMessages", "*"), "iot:ListRetainedMessages on *: no statement allows it"},
	} {
		if test.allowed {
			t.Errorf("a request is allowed: %s", test.want)
		}
	}
	if want := "iot:ListRetainedMessages on *: no statement allows it"; s.Refusal() != want {
		t.Errorf("the refusal is %q, want %q", s.Refusal(), want)
	}
	s.Subscribe("secret")
	if want := fmt.Sprintf("iot:Subscribe on %stopicfilter/secret: statement secrets denies it", arnPrefix); s.Refusal() != want {
		t.Errorf("the refusal is %q, want %q", s.Refusal(), want)
	}
}
