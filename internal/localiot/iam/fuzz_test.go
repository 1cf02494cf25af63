package iam

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse checks that Parse does not panic, and that the evaluation of any document ends. A document
// that is accepted stays the same after a second Parse.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if command, argument, _ := strings.Cut(line, " "); command == "policy" || command == "malformed" {
				if document := expandText(argument); len(document) < 4096 {
					f.Add(document, "client", "topic/a")
				}
			}
		}
	}
	f.Add(Guest("us-east-1").String(), "*", "public/${iot:ClientId}")
	f.Fuzz(func(t *testing.T, text, client, topic string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.String())
		if err != nil || again.Statements() != d.Statements() || len(again.Warnings()) != len(d.Warnings()) {
			t.Fatalf("the second Parse differs: %v", err)
		}
		began := time.Now()
		s := NewSession("us-east-1", []*Document{d}, Connection{"127.0.0.1", "localhost"}, func(string) (map[string]string, bool) { return map[string]string{"a": topic}, true })
		s.MayConnect()
		s.Connect(client, true, true)
		published := s.Publish(topic, true)
		s.Subscribe(topic)
		s.Receive(topic)
		if elapsed := time.Since(began); elapsed > 5*time.Second {
			t.Errorf("the evaluation took %v", elapsed)
		}
		if deny := mustParse(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`); published {
			s := NewSession("us-east-1", []*Document{d, deny}, Connection{"127.0.0.1", "localhost"}, nil)
			if s.Publish(topic, false) {
				t.Error("a document allows what another one denies")
			}
		}
	})
}

// FuzzMatch compares the wildcard matcher with a simple recursive one.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"a*b?", "axbc"}, {"*", ""}, {"**a", "ba"}, {"?", "ä"}, {"a*a*a*b", "aaaaaaaa"}, {"", "a"}, {"*ab", "aab"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, p, text string) {
		if len(p) > 20 || len(text) > 20 || !utf8.ValidString(p) || !utf8.ValidString(text) {
			return
		}
		got := parseTemplate(p, true, false).expand(nil).match(text)
		if want := simpleMatch([]rune(p), []rune(text)); got != want {
			t.Errorf("the pattern %q matches %q: %v, want %v", p, text, got, want)
		}
		if !parseTemplate(text, false, false).expand(nil).match(text) {
			t.Errorf("the text %q without wildcards does not match itself", text)
		}
		variable := parseTemplate("x${v}"+p, true, true)
		if variable.parts != nil && !strings.ContainsAny(p, "*?${}") && !variable.expand(func(string) (string, bool) { return text, true }).match("x"+text+p) {
			t.Errorf("the value %q does not match itself", text)
		}
	})
}

// simpleMatch is the definition of the wildcards * and ?.
func simpleMatch(p, text []rune) bool {
	switch {
	case len(p) == 0:
		return len(text) == 0
	case p[0] == '*':
		return simpleMatch(p[1:], text) || len(text) > 0 && simpleMatch(p, text[1:])
	default:
		return len(text) > 0 && (p[0] == '?' || p[0] == text[0]) && simpleMatch(p[1:], text[1:])
	}
}
