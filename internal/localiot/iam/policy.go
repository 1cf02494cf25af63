package iam

import "strings"

// Policy states which operations an identity may perform, as an AWS IoT policy does. A nil Policy
// allows everything.
type Policy struct {
	connect bool     // iot:Connect, with any client id
	topics  []string // iot:Publish, iot:Subscribe and iot:Receive; a final # matches any text
}

// Guest returns the policy of the IAM role for unauthenticated Cognito identities: it allows the
// topic hello and all topics below public/.
func Guest() *Policy {
	return &Policy{connect: true, topics: []string{"hello", "public/#"}}
}

// Unattached returns the policy of an authenticated Cognito identity to which no AWS IoT policy is
// attached: it allows nothing.
func Unattached() *Policy { return &Policy{} }

// AllowsConnect reports whether the policy allows iot:Connect.
func (p *Policy) AllowsConnect() bool { return p == nil || p.connect }

// AllowsTopic reports whether the policy allows a topic or a topic filter. For a shared
// subscription the caller passes the filter without $share and the group. As in AWS IoT policies,
// the characters + and # of a filter have no special meaning, and public/# does not include public.
func (p *Policy) AllowsTopic(topic string) bool {
	if p == nil {
		return true
	}
	for _, allowed := range p.topics {
		prefix, wildcard := strings.CutSuffix(allowed, "#")
		if topic == allowed || wildcard && strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}
