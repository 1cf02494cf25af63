package iam

// Policy is a Session for a broker that does not distinguish publishing from subscribing. A nil Policy
// allows everything.
type Policy struct{ *Session }

// AllowsTopic reports whether the client may publish to a topic, or subscribe to a topic filter.
func (p *Policy) AllowsTopic(topic string) bool {
	return p == nil || p.Publish(topic, false) || p.Subscribe(topic)
}
