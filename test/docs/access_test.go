package docs

import (
	"strings"
	"testing"

	"iot.wasm/internal/localiot/iam"
)

// The identities of two signed-in users.
const (
	self  = "eu-west-1:11111111-2222-3333-4444-555555555555"
	other = "eu-west-1:66666666-7777-8888-9999-000000000000"
)

// registry returns a registry of the stand-in whose policies are the documents of docs/aws. The
// guests have the role of a file. The identity self has the policy user-policy.json.
func registry(t *testing.T, role string) *iam.Registry {
	t.Helper()
	document, err := iam.Parse(read(t, "docs/aws/"+role))
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	if warnings := document.Warnings(); len(warnings) > 0 {
		t.Errorf("%s: %q", role, warnings)
	}
	r, err := iam.NewRegistry(iam.RegistryOptions{Region: "eu-west-1", Policy: document})
	if err != nil {
		t.Fatal(err)
	}
	created, err := r.CreatePolicy("user", read(t, "docs/aws/user-policy.json"))
	if err != nil {
		t.Fatalf("user-policy.json: %v", err)
	}
	if warnings := created.Document.Warnings(); len(warnings) > 0 {
		t.Errorf("user-policy.json: %q", warnings)
	}
	if err := r.AttachPolicy("user", self); err != nil {
		t.Fatal(err)
	}
	return r
}

// A client is a connection to which all of its sessions apply: each must allow a request.
type client []*iam.Session

func (c client) all(allows func(s *iam.Session) bool) bool {
	for _, s := range c {
		if !allows(s) {
			return false
		}
	}
	return true
}

func (c client) connect(id string, persistent, will bool) bool {
	return c.all(func(s *iam.Session) bool { return s.Connect(id, persistent, will) })
}

// guest returns a guest with guest-role-policy.json.
func guest(t *testing.T) client {
	return client{registry(t, "guest-role-policy.json").Session(iam.Owner{IdentityID: other}, iam.Connection{})}
}

// user returns a signed-in user: the role policy user-role-policy.json and the attached
// user-policy.json apply. The registry evaluates the role policy as that of a guest, because the
// stand-in has no role for signed-in users.
func user(t *testing.T) client {
	r := registry(t, "user-role-policy.json")
	return client{r.Session(iam.Owner{IdentityID: self}, iam.Connection{}), r.Session(iam.Owner{IdentityID: self, Authenticated: true}, iam.Connection{})}
}

// attached returns a client to which only user-policy.json applies.
func attached(t *testing.T) client {
	return client{registry(t, "user-role-policy.json").Session(iam.Owner{IdentityID: self, Authenticated: true}, iam.Connection{})}
}

// check checks requests, one in a line: an action and a topic or filter. SELF and OTHER stand for
// the two identities.
func (c client) check(t *testing.T, want bool, requests string) {
	t.Helper()
	for _, request := range strings.Split(strings.TrimSpace(requests), "\n") {
		action, topic, _ := strings.Cut(strings.TrimSpace(request), " ")
		topic = strings.NewReplacer("SELF", self, "OTHER", other).Replace(topic)
		got := c.all(func(s *iam.Session) bool {
			switch action {
			case "publish":
				return s.Publish(topic, false)
			case "retain":
				return s.Publish(topic, true)
			case "subscribe":
				return s.Subscribe(topic)
			case "receive":
				return s.Receive(topic)
			}
			t.Fatalf("unknown action %q", action)
			return false
		})
		if got != want {
			t.Errorf("%s is %t, want %t", request, got, want)
		}
	}
}

// TestGuest checks that a guest may do exactly what docs/aws.md states.
func TestGuest(t *testing.T) {
	g := guest(t)
	for _, id := range []string{self, other, "page", "", "#", "xiot-1"} {
		if g.connect(id, false, false) {
			t.Errorf("a guest connects as %q", id)
		}
	}
	if !g.connect("iot-123", true, true) {
		t.Error("a guest cannot connect as iot-123 with a session and a will")
	}
	g.check(t, true, `
		publish room/1
		subscribe room/#
		subscribe room/+/door
		receive room/1/door`)
	g.check(t, false, `
		retain room/1
		publish room
		publish rooms/1
		publish other/1
		publish iot/replies/iot-123
		publish $aws/things/iot-123/shadow/update
		subscribe #
		subscribe +/1
		subscribe room
		subscribe iot/replies/iot-123
		subscribe $aws/things/iot-123/shadow/update/accepted
		subscribe $aws/events/presence/connected/#
		receive rooms/1
		receive $aws/events/presence/connected/iot-123`)
}

// TestUser checks that a signed-in user may do exactly what docs/aws.md states.
func TestUser(t *testing.T) {
	u := user(t)
	for _, id := range []string{other, other + "-1", self + "1", "iot-123", "", "+", "eu-west-1:+", "eu-west-1:*"} {
		if u.connect(id, false, false) {
			t.Errorf("a user connects as %q", id)
		}
	}
	for _, id := range []string{self + "-tab", self} {
		if !u.connect(id, true, true) {
			t.Errorf("the user cannot connect as %q", id)
		}
	}
	u.check(t, true, allowed)
	u.check(t, false, denied)
}

// TestUserPolicy checks the AWS IoT policy alone: it denies the topics of other clients without
// the help of the role policy, which only binds the client id to the user.
func TestUserPolicy(t *testing.T) {
	a := attached(t)
	if !a.connect(self, true, true) || a.connect("iot-123", false, false) {
		t.Error("the policy does not allow exactly the client ids of identities")
	}
	if !a.connect(self, true, true) {
		t.Fatal("the client cannot connect")
	}
	a.check(t, true, allowed)
	a.check(t, false, denied)
}

// The requests of the client with the id self.
const (
	allowed = `
		publish room/1
		retain room/1
		subscribe room/#
		receive room/1
		publish iot/replies/OTHER
		subscribe iot/replies/SELF
		receive iot/replies/SELF
		publish $aws/things/SELF/shadow/get
		publish $aws/things/SELF/shadow/name/lamp/update
		subscribe $aws/things/SELF/shadow/update/delta
		subscribe $aws/things/SELF/shadow/name/lamp/get/+
		receive $aws/things/SELF/shadow/update/documents
		publish $aws/things/SELF/jobs/start-next
		publish $aws/things/SELF/jobs/job-1/update
		subscribe $aws/things/SELF/jobs/notify-next
		receive $aws/things/SELF/jobs/job-1/get/accepted`
	denied = `
		publish rooms/1
		retain iot/replies/OTHER
		retain $aws/things/SELF/shadow/update
		subscribe #
		subscribe rooms/1
		subscribe iot/replies/OTHER
		subscribe iot/replies/+
		subscribe iot/replies/#
		receive iot/replies/OTHER
		publish $aws/things/OTHER/shadow/update
		publish $aws/things/OTHER/jobs/start-next
		publish $aws/things/SELF-2/shadow/update
		publish $aws/things/lamp/shadow/update
		subscribe $aws/things/OTHER/shadow/update/delta
		subscribe $aws/things/+/shadow/update/delta
		subscribe $aws/things/#
		subscribe $aws/things/OTHER/jobs/notify-next
		receive $aws/things/OTHER/shadow/update/documents
		subscribe $aws/events/presence/connected/#
		receive $aws/events/presence/connected/OTHER`
)
