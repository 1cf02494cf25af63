package iam

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxDocument is the largest number of characters in a policy document, without white space ("AWS IoT
	// Core API Reference", CreatePolicy).
	maxDocument = 2048

	// maxRoleDocument is the same bound for the policy of an IAM role ("IAM and AWS STS quotas").
	maxRoleDocument = 10240

	// maxDocumentText is the largest size of a policy document with white space (the same page).
	maxDocumentText = 404600

	// Account is the account of the local AWS IoT Core.
	Account = "123456789012"
)

// A Document is an AWS IoT policy document. Only Parse makes a Document. It does not change.
type Document struct {
	text       string
	statements []statement
	warnings   []string
}

// A statement is a statement of a Document.
type statement struct {
	name         string // the Sid, or the position from 1
	deny         bool
	actions      []pattern // in lower case
	notActions   bool      // the statement is for all other actions
	resources    []template
	notResources bool // the statement is for all other resources
	conditions   []condition
}

// Parse parses a policy document. It returns an *Error with the code MalformedPolicyException if AWS
// refuses the document, or if the document is not of the form that "AWS IoT Core policies" describes.
//
// The local AWS IoT Core has one account. In resources, any account id of 12 digits stands for it, and so
// do the partitions of AWS, so that a policy for a real account also works here.
func Parse(text string) (*Document, error) { return parse(text, maxDocument) }

// parse is like Parse. The document may have up to limit characters without white space.
func parse(text string, limit int) (*Document, error) {
	d := &Document{text: text}
	if err := d.parse(limit); err != nil {
		return nil, &Error{Code: "MalformedPolicyException", Message: "Policy document is malformed: " + err.Error()}
	}
	return d, nil
}

// String returns the text of the document.
func (d *Document) String() string { return d.text }

// Statements returns the number of statements.
func (d *Document) Statements() int { return len(d.statements) }

// Warnings returns a text for each part of the document that the local AWS IoT Core does not support. A
// statement with a condition that is not supported allows nothing if its effect is Allow. If its effect
// is Deny, it denies its actions in any case.
func (d *Document) Warnings() []string { return d.warnings }

func (d *Document) parse(limit int) error {
	if len(d.text) > maxDocumentText {
		return fmt.Errorf("it has more than %d bytes", maxDocumentText)
	}
	n := 0
	for _, r := range d.text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	if n > limit {
		return fmt.Errorf("it has %d characters without white space, more than %d", n, limit)
	}
	members, err := object([]byte(d.text), "the document", "Version", "Id", "Statement")
	if err != nil {
		return err
	}
	version := "2008-10-17" // "IAM JSON policy elements: Version"
	if raw, ok := members["Version"]; ok {
		if err := json.Unmarshal(raw, &version); err != nil || version != "2012-10-17" && version != "2008-10-17" {
			return fmt.Errorf("the Version must be 2012-10-17 or 2008-10-17")
		}
	}
	raw, ok := members["Statement"]
	if !ok {
		return fmt.Errorf("it has no Statement")
	}
	var statements []json.RawMessage
	if json.Unmarshal(raw, &statements) != nil {
		statements = []json.RawMessage{raw}
	}
	if len(statements) == 0 {
		return fmt.Errorf("the Statement is empty")
	}
	var names []string
	for i, raw := range statements {
		s, sid, err := d.parseStatement(raw, i+1, version == "2012-10-17")
		if err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
		if sid != "" && slices.Contains(names, sid) {
			return fmt.Errorf("statement %d: another statement has the Sid %s", i+1, sid)
		}
		names = append(names, sid)
		d.statements = append(d.statements, s)
	}
	return nil
}

var (
	sidPattern    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionPattern = regexp.MustCompile(`^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$`)
)

// parseStatement parses the statement at a position from 1. It also returns the Sid.
func (d *Document) parseStatement(raw json.RawMessage, position int, variables bool) (s statement, sid string, err error) {
	members, err := object(raw, "it", "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, "", err
	}
	s.name = fmt.Sprint(position)
	if raw, ok := members["Sid"]; ok {
		if err := json.Unmarshal(raw, &sid); err != nil || !sidPattern.MatchString(sid) {
			return s, "", fmt.Errorf("the Sid must be a string of letters and digits")
		}
		if sid != "" {
			s.name = sid
		}
	}
	var effect string
	if json.Unmarshal(members["Effect"], &effect); effect != "Allow" && effect != "Deny" {
		return s, "", fmt.Errorf("the Effect must be Allow or Deny")
	}
	s.deny = effect == "Deny"

	actions, not, err := either(members, "Action", "NotAction")
	if err != nil {
		return s, "", err
	}
	s.notActions = not
	for _, action := range actions {
		if !actionPattern.MatchString(action) {
			return s, "", fmt.Errorf("the action %q is not of the form iot:Publish, iot:* or *", action)
		}
		s.actions = append(s.actions, parseTemplate(strings.ToLower(action), true, false).fixed)
	}
	resources, not, err := either(members, "Resource", "NotResource")
	if err != nil {
		return s, "", err
	}
	s.notResources = not
	for _, resource := range resources {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return s, "", fmt.Errorf("the resource %q is not an ARN and not *", resource)
		}
		s.resources = append(s.resources, parseTemplate(localResource(resource), true, variables))
	}
	if raw, ok := members["Condition"]; ok {
		if s.conditions, err = parseConditions(raw, variables); err != nil {
			return s, "", err
		}
		for _, c := range s.conditions {
			if c.unsupported != "" {
				d.warnings = append(d.warnings, fmt.Sprintf("statement %s: %s", s.name, c.unsupported))
			}
		}
	}
	return s, sid, nil
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	partitions     = []string{"aws", "aws-cn", "aws-us-gov"}
)

// localResource replaces the account and the partition of an ARN by those of the local AWS IoT Core.
func localResource(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	if slices.Contains(partitions, parts[1]) {
		parts[1] = "aws"
	}
	if accountPattern.MatchString(parts[4]) {
		parts[4] = Account
	}
	return strings.Join(parts, ":")
}

// object decodes a JSON object with no other members than the allowed ones. Like AWS, it compares names
// with their case.
func object(raw json.RawMessage, what string, allowed ...string) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, fmt.Errorf("%s is not a JSON object", what)
	}
	for name := range members {
		if !slices.Contains(allowed, name) {
			return nil, fmt.Errorf("%s has the unknown element %q", what, name)
		}
	}
	return members, nil
}

// either returns the values of the element name, or of the element not. Exactly one of them must exist.
func either(members map[string]json.RawMessage, name, not string) (values []string, isNot bool, err error) {
	raw, ok := members[name]
	rawNot, okNot := members[not]
	if ok == okNot {
		return nil, false, fmt.Errorf("it must have either %s or %s", name, not)
	}
	if okNot {
		raw, name = rawNot, not
	}
	values, err = texts(raw, false)
	if err != nil || len(values) == 0 {
		return nil, false, fmt.Errorf("%s must be a string or a list of strings", name)
	}
	return values, okNot, nil
}

// texts decodes a string, or a list of strings. With scalars, it accepts numbers and Booleans too.
func texts(raw json.RawMessage, scalars bool) ([]string, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || list == nil {
		list = []json.RawMessage{raw}
	}
	values := make([]string, 0, len(list))
	for _, raw := range list {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			values = append(values, v)
		case bool, float64:
			if !scalars {
				return nil, fmt.Errorf("%v is not a string", v)
			}
			values = append(values, string(raw))
		default:
			return nil, fmt.Errorf("a value is not a string")
		}
	}
	return values, nil
}
