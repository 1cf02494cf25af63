package iam

import "testing"

func TestPolicy(t *testing.T) {
	for topic, want := range map[string]bool{
		"hello": true, "public/a": true, "public/a/b": true, "public/#": true, "public/+": true, "public/": true,
		"": false, "#": false, "+/a": false, "hello/a": false, "public": false, "publicity": false,
	} {
		if got := Guest().AllowsTopic(topic); got != want {
			t.Errorf("a guest may use %q: %v, want %v", topic, got, want)
		}
		if Unattached().AllowsTopic(topic) {
			t.Errorf("an identity without a policy may use %q", topic)
		}
		if !(*Policy)(nil).AllowsTopic(topic) {
			t.Errorf("a nil policy refuses %q", topic)
		}
	}
	if !Guest().AllowsConnect() || Unattached().AllowsConnect() || !(*Policy)(nil).AllowsConnect() {
		t.Error("AllowsConnect must be true for a guest and a nil policy only")
	}
}
