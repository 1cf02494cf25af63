package localiot

import "strings"

// policy is what an identity may do, as an AWS IoT policy says it. A nil policy allows everything.
type policy struct {
	connect bool     // iot:Connect, with any client id
	topics  []string // iot:Publish, iot:Subscribe and iot:Receive; a # at the end stands for anything
}

var (
	// guest is the policy of the IAM role for unauthenticated identities.
	guest = &policy{connect: true, topics: []string{"hello", "public/#"}}

	// unattached is what an authenticated identity has until an AWS IoT policy is attached to it.
	unattached = &policy{}
)

func (p *policy) allowsConnect() bool { return p == nil || p.connect }

// allows judges a topic, or a topic filter. As in AWS IoT policies, + and # of a filter are
// characters like any other here, and public/# is no way to public itself.
func (p *policy) allows(topic string) bool {
	if p == nil {
		return true
	}
	topic = unshared(topic)
	for _, allowed := range p.topics {
		prefix, open := strings.CutSuffix(allowed, "#")
		if topic == allowed || open && strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}

// unshared returns what a shared subscription subscribes to, and any other filter or topic as it is.
func unshared(filter string) string {
	if rest, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(rest, "/")
	}
	return filter
}
