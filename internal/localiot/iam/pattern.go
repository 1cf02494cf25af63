package iam

import (
	"strings"
	"unicode/utf8"
)

// A pattern is a text with wildcards. The elements anyText and anyCharacter are wildcards; all other
// elements are characters.
type pattern []rune

const (
	anyText      rune = -1 // *, zero or more characters
	anyCharacter rune = -2 // ?, one character
)

// match reports whether the whole text matches. The time is at most proportional to the product of the
// lengths.
func (p pattern) match(text string) bool {
	i, t := 0, 0
	star, resume := -1, 0 // the last anyText in p, and the position in text at which it ends
	for t < len(text) {
		r, size := utf8.DecodeRuneInString(text[t:])
		switch {
		case i < len(p) && p[i] == anyText:
			star, resume = i, t
			i++
		case i < len(p) && (p[i] == anyCharacter || p[i] == r):
			i++
			t += size
		case star >= 0: // the last anyText includes one more character
			_, size = utf8.DecodeRuneInString(text[resume:])
			resume += size
			i, t = star+1, resume
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyText {
		i++
	}
	return i == len(p)
}

// A template is a text with wildcards and policy variables.
type template struct {
	parts []templatePart
	fixed pattern // the pattern, if the template has no variables
}

// A templatePart is a policy variable, or a pattern if variable is empty.
type templatePart struct {
	variable string // in lower case
	text     string // the variable as the document contains it
	pattern  pattern
}

// parseTemplate parses a text of a policy document. Without wildcards, * and ? are ordinary characters.
// Without variables, ${ begins no variable. ${*}, ${?} and ${$} stand for the characters *, ? and $.
func parseTemplate(text string, wildcards, variables bool) template {
	var t template
	var p pattern
	for text != "" {
		if name, rest, ok := cutVariable(text); variables && ok {
			switch name {
			case "*", "?", "$":
				p = append(p, rune(name[0]))
			default:
				t.parts = append(t.parts, templatePart{pattern: p}, templatePart{variable: strings.ToLower(name), text: text[:len(text)-len(rest)]})
				p = nil
			}
			text = rest
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		if wildcards && r == '*' {
			r = anyText
		} else if wildcards && r == '?' {
			r = anyCharacter
		}
		p = append(p, r)
		text = text[size:]
	}
	if t.parts == nil {
		t.fixed = p
		return t
	}
	t.parts = append(t.parts, templatePart{pattern: p})
	return t
}

// cutVariable cuts a policy variable, ${name}, from the beginning of text.
func cutVariable(text string) (name, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, "${")
	if !ok {
		return "", "", false
	}
	return strings.Cut(text, "}")
}

// expand replaces the variables by their values. Wildcard characters in a value are ordinary characters.
// A variable without a value stays in the text, as AWS documents for the variables of certificates, so
// the pattern then matches no real resource ("X.509 Certificate AWS IoT Core policy variables").
func (t template) expand(value func(variable string) (string, bool)) pattern {
	if t.parts == nil {
		return t.fixed
	}
	var p pattern
	for _, part := range t.parts {
		if part.variable == "" {
			p = append(p, part.pattern...)
			continue
		}
		text, ok := value(part.variable)
		if !ok {
			text = part.text
		}
		p = append(p, []rune(text)...)
	}
	return p
}
