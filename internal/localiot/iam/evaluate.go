package iam

import (
	"slices"
	"strings"
)

// The actions of MQTT clients ("AWS IoT Core policy actions").
const (
	actionConnect       = "iot:Connect"
	actionPublish       = "iot:Publish"
	actionReceive       = "iot:Receive"
	actionSubscribe     = "iot:Subscribe"
	actionRetainPublish = "iot:RetainPublish"
)

// dataPlane contains the actions that AWS IoT policies are for ("AWS IoT Core policy actions").
var dataPlane = []string{
	actionConnect, actionPublish, actionReceive, actionSubscribe, actionRetainPublish,
	"iot:DeleteConnection", "iot:GetRetainedMessage", "iot:ListRetainedMessages",
	"iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow", "iot:ListNamedShadowsForThing",
	"iotjobsdata:DescribeJobExecution", "iotjobsdata:GetPendingJobExecutions", "iotjobsdata:StartNextPendingJobExecution", "iotjobsdata:UpdateJobExecution",
}

// A request is an action that a client requests, with its context.
type request struct {
	action     string // in lower case
	resource   string // an ARN
	context    map[string]string
	attributes []string // the values of iot:ConnectAttributes; only iot:Connect has them
}

// value returns the value of a policy variable.
func (r *request) value(key string) (string, bool) {
	v, ok := r.context[key]
	return v, ok
}

// values returns the values of a condition key. A key without values may exist.
func (r *request) values(key string) ([]string, bool) {
	if key == keyConnectAttributes {
		return r.attributes, r.action == strings.ToLower(actionConnect)
	}
	if v, ok := r.context[key]; ok {
		return []string{v}, true
	}
	return nil, false
}

// An effect is the result of the evaluation of documents.
type effect int

const (
	implicitDeny effect = iota // no statement applies
	allow
	explicitDeny
)

// evaluate evaluates documents as one policy: an explicit Deny overrides any Allow, and without an Allow
// the request is denied ("Policy evaluation logic" in the AWS IAM User Guide). It returns the name of the
// statement that denies explicitly.
func evaluate(documents []*Document, r *request) (result effect, statement string) {
	for _, d := range documents {
		for i := range d.statements {
			s := &d.statements[i]
			if s.deny || result != allow {
				if !s.applies(r) {
					continue
				}
				if s.deny {
					return explicitDeny, s.name
				}
				result = allow
			}
		}
	}
	return result, ""
}

// applies reports whether the statement is for the request.
func (s *statement) applies(r *request) bool {
	if !s.coversAction(r.action) {
		return false
	}
	if slices.ContainsFunc(s.resources, func(t template) bool { return t.expand(r.value).match(r.resource) }) == s.notResources {
		return false
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.unsupported != "" && !s.deny || c.unsupported == "" && !c.holds(r) {
			return false
		}
	}
	return true
}

// coversAction reports whether the statement is for an action, in lower case.
func (s *statement) coversAction(action string) bool {
	return slices.ContainsFunc(s.actions, func(p pattern) bool { return p.match(action) }) != s.notActions
}

// mayConnect reports whether a statement allows iot:Connect for any client id.
func mayConnect(documents []*Document) bool {
	return slices.ContainsFunc(documents, func(d *Document) bool {
		return slices.ContainsFunc(d.statements, func(s statement) bool {
			return !s.deny && s.coversAction(strings.ToLower(actionConnect))
		})
	})
}
