package iam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"iot.wasm/internal/localiot/store/storetest"
)

const (
	identity      = "us-east-1:12345678-1234-4234-8234-123456789abc"
	publishPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iot:Connect","iot:Receive"],"Resource":"*"}}`
)

func newRegistry(t *testing.T, o RegistryOptions) *Registry {
	t.Helper()
	o.Region = "us-east-1"
	r, err := NewRegistry(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantCode checks the code of an error; "" stands for no error.
func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e *Error
	if errors.As(err, &e); code == "" && err != nil || code != "" && (e == nil || e.Code != code) {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

// The policies of the roles, without and with the options.
func TestRoles(t *testing.T) {
	policy := mustParse(publishPolicy)
	guest, authenticated := Owner{IdentityID: identity}, Owner{IdentityID: identity, Authenticated: true}
	for _, test := range []struct {
		options                 RegistryOptions
		owner                   Owner
		connect, hello, private bool
	}{
		{RegistryOptions{}, Owner{}, true, true, true},
		{RegistryOptions{}, guest, true, true, false},
		{RegistryOptions{}, authenticated, false, false, false},
		{RegistryOptions{AttachPolicy: true}, guest, true, true, false},
		{RegistryOptions{AttachPolicy: true}, authenticated, true, true, true},
		{RegistryOptions{Policy: policy}, Owner{}, true, false, false},
		{RegistryOptions{Policy: policy}, guest, true, false, false},
		{RegistryOptions{Policy: policy, AttachPolicy: true}, authenticated, true, true, true},
	} {
		s := newRegistry(t, test.options).Session(test.owner, Connection{})
		if may, connect, hello, private := s.MayConnect(), s.Connect("c", true, true), s.Publish("hello", true), s.Publish("private", false); may != test.connect || connect != test.connect || hello != test.hello || private != test.private {
			t.Errorf("%+v: handshake %v, connect %v, hello %v, private %v", test, may, connect, hello, private)
		}
	}
}

// With a policy, the key of the administrator still allows all of the control plane. DescribeJobExecution is
// in both planes, with two actions.
func TestAdministrator(t *testing.T) {
	r := newRegistry(t, RegistryOptions{Policy: mustParse(publishPolicy)})
	administrator, guest := r.Session(Owner{}, Connection{}), r.Session(Owner{IdentityID: identity}, Connection{})
	for action, control := range map[string]bool{
		"iot:CreateThing":                  true,
		"iot:DescribeJobExecution":         true,
		"iotjobsdata:DescribeJobExecution": false,
		"iot:GetThingShadow":               false,
	} {
		if got := administrator.Allows(action, "thing/lamp"); got != control {
			t.Errorf("%s: the administrator's key allows it: %v", action, got)
		}
		if guest.Allows(action, "thing/lamp") {
			t.Errorf("%s: a guest's key allows it", action)
		}
	}
}

// The topics of a guest.
func TestGuest(t *testing.T) {
	s := newRegistry(t, RegistryOptions{}).Session(Owner{IdentityID: identity}, Connection{})
	for topic, want := range map[string]bool{
		"hello": true, "public/a": true, "public/a/b": true, "public/#": true, "public/+": true, "public/": true,
		"": false, "#": false, "+/a": false, "hello/a": false, "public": false, "publicity": false,
	} {
		if publish, subscribe, receive := s.Publish(topic, true), s.Subscribe(topic), s.Receive(topic); publish != want || subscribe != want || receive != want {
			t.Errorf("%q: publish %v, subscribe %v, receive %v; want %v", topic, publish, subscribe, receive, want)
		}
	}
}

// The policy of a role may be longer than an AWS IoT policy.
func TestLongRole(t *testing.T) {
	statement := `{"Effect":"Allow","Action":"iot:Publish","Resource":"` + arnPrefix + "topic/" + strings.Repeat("a", 2000) + `"}`
	document := func(n int) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statement+",", n-1) + statement + `]}`
	}
	for n, want := range map[int]bool{1: true, 4: true, 5: false} {
		name := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(name, []byte(document(n)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(name); (err == nil) != want {
			t.Errorf("a role with %d characters: %v", len(document(n)), err)
		}
	}
	if _, err := Parse(document(1)); err == nil {
		t.Error("an AWS IoT policy of the same length is accepted")
	}
}

// A guest may do the jobs of devices, and receive the events of connected clients.
func TestGuestJobsAndPresence(t *testing.T) {
	s := newRegistry(t, RegistryOptions{}).Session(Owner{IdentityID: identity}, Connection{})
	const jobs = "$aws/things/demo-device-1/jobs/"
	for topic, want := range map[string][2]bool{ // publish, and both subscribe and receive
		jobs + "$next/get": {true, true}, jobs + "1/update": {true, true}, jobs + "+/update/accepted": {false, true}, jobs + "notify-next": {false, true},
		jobs + "get": {false, true}, jobs + "start-next": {false, true}, "$aws/things/device-1/jobs/1/get": {}, "$aws/things/demo-device-1/shadow/get": {},
		"$aws/events/presence/connected/#": {false, true}, "$aws/events/presence/disconnected/iot-1": {false, true},
		"$aws/events/subscriptions/subscribed/#": {}, "$aws/events/#": {},
	} {
		publish, subscribe, receive := s.Publish(topic, false), s.Subscribe(topic), s.Receive(topic)
		if publish != want[0] || subscribe != want[1] || receive != want[1] || s.Publish(topic, true) {
			t.Errorf("%q: publish %v, subscribe %v, receive %v; want %v", topic, publish, subscribe, receive, want)
		}
	}
}

// A guest may get and update the shadows of the demos. A guest may not delete them, and may use no other thing.
func TestGuestShadow(t *testing.T) {
	s := newRegistry(t, RegistryOptions{}).Session(Owner{IdentityID: identity}, Connection{})
	const (
		lamp   = "$aws/things/demo-lamp/shadow/"
		truck  = "$aws/things/truck-01/shadow/name/fleet-blue/"
		trucks = "$aws/things/+/shadow/name/fleet-blue/"
	)
	// Publish, subscribe and receive.
	asks, answers, filter, none := [3]bool{0: true}, [3]bool{1: true, 2: true}, [3]bool{1: true}, [3]bool{}
	for topic, want := range map[string][3]bool{
		lamp + "get": asks, lamp + "update": asks, lamp + "get/accepted": answers,
		lamp + "update/delta": answers, lamp + "update/documents": answers,
		lamp + "delete/accepted": answers, lamp + "delete": none, lamp + "delete/rejected": none, lamp + "name/a/get": none, lamp + "name/a/get/accepted": none, lamp + "#": none,
		"$aws/things/demo-lamp/jobs/get": none, "$aws/things/demo-lamp/jobs/1/get": none, "$aws/things/demo-lamp/jobs/notify-next": none, "$aws/things/demo-lamp-2/shadow/get": none, "$aws/things/+/shadow/get/accepted": none,
		truck + "get": asks, truck + "update": asks, truck + "get/accepted": {2: true}, truck + "update/documents": {2: true}, truck + "delete": none,
		trucks + "get/accepted": filter, trucks + "update/documents": filter, trucks + "update/delta": filter, trucks + "#": none, trucks + "get": none,
		"$aws/things/truck-01/shadow/get": none, "$aws/things/+/shadow/name/a/update/documents": none, "$aws/things/lorry-1/shadow/name/fleet-blue/get": none,
	} {
		publish, subscribe, receive := s.Publish(topic, false), s.Subscribe(topic), s.Receive(topic)
		if got := [3]bool{publish, subscribe, receive}; got != want || s.Publish(topic, true) {
			t.Errorf("%q: publish, subscribe, receive: %v; want %v", topic, got, want)
		}
	}
}

// The permissions of an authenticated identity follow its attachments, also on an open connection.
func TestAttachments(t *testing.T) {
	r := newRegistry(t, RegistryOptions{})
	s := r.Session(Owner{IdentityID: identity, Authenticated: true}, Connection{})
	if s.MayConnect() || s.Connect("c", false, false) || s.Receive("a") {
		t.Error("an identity without a policy may connect or receive")
	}
	if _, err := r.CreatePolicy("receive", publishPolicy); err != nil {
		t.Fatal(err)
	}
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:1:topic/${cognito-identity.amazonaws.com:sub}"}}`
	if _, err := r.CreatePolicy("own", strings.Replace(document, ":1:", ":123456789012:", 1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"receive", "own", "own"} {
		wantCode(t, "AttachPolicy "+name, r.AttachPolicy(name, identity), "")
	}
	if !s.MayConnect() || !s.Connect("c", false, false) || !s.Receive("a") || !s.Publish(identity, false) || s.Publish("a", false) {
		t.Errorf("an attached policy has no effect: %s", s.Refusal())
	}
	list, err := r.ListAttachedPolicies(identity)
	if err != nil || len(list) != 2 || list[0].Name != "own" || list[1].Name != "receive" || list[0].ARN != "arn:aws:iot:us-east-1:123456789012:policy/own" {
		t.Errorf("ListAttachedPolicies: %v, %v", list, err)
	}
	wantCode(t, "DetachPolicy", r.DetachPolicy("receive", identity), "")
	if s.Receive("a") || !s.Publish(identity, false) {
		t.Error("a detached policy has an effect")
	}
	if other := r.Session(Owner{IdentityID: identity + "0", Authenticated: true}, Connection{}); other.MayConnect() {
		t.Error("the policy of an identity applies to another one")
	}
}

func TestRegistryErrors(t *testing.T) {
	r := newRegistry(t, RegistryOptions{})
	create := func(name, document string) error {
		_, err := r.CreatePolicy(name, document)
		return err
	}
	get := func(name string) error {
		_, err := r.GetPolicy(name)
		return err
	}
	list := func(target string) error {
		_, err := r.ListAttachedPolicies(target)
		return err
	}
	certificate := arnPrefix + "cert/" + strings.Repeat("ab", 32)
	for i, test := range []struct {
		err  error
		code string
	}{
		{create("a", publishPolicy), ""},
		{create("a", publishPolicy), "ResourceAlreadyExistsException"},
		{create("b", "{}"), "MalformedPolicyException"},
		{create("", publishPolicy), "InvalidRequestException"},
		{create("../b", publishPolicy), "InvalidRequestException"},
		{create(strings.Repeat("a", 129), publishPolicy), "InvalidRequestException"},
		{get("a"), ""},
		{get("b"), "ResourceNotFoundException"},
		{get("b c"), "InvalidRequestException"},
		{r.AttachPolicy("b", identity), "ResourceNotFoundException"},
		{r.AttachPolicy("a b", identity), "InvalidRequestException"},
		{r.AttachPolicy("a", "nobody"), "InvalidRequestException"},
		{r.AttachPolicy("a", ""), "InvalidRequestException"},
		{r.AttachPolicy("a", "us-east-1:"+strings.Repeat("0", 600)), "InvalidRequestException"},
		{r.AttachPolicy("a", certificate), ""},
		{r.AttachPolicy("a", arnPrefix+"thinggroup/lamps"), ""},
		{r.DeletePolicy("a"), "DeleteConflictException"},
		{r.DetachPolicy("a", arnPrefix+"thinggroup/lamps"), ""},
		{r.DetachPolicy("a", certificate), ""},
		{r.DetachPolicy("a", certificate), ""},
		{r.DetachPolicy("b", certificate), "ResourceNotFoundException"},
		{r.DetachPolicy("a", "nobody"), "InvalidRequestException"},
		{list("nobody"), "InvalidRequestException"},
		{list(certificate), ""},
		{r.DeletePolicy("a"), ""},
		{r.DeletePolicy("a"), "ResourceNotFoundException"},
		{r.DeletePolicy("a b"), "InvalidRequestException"},
	} {
		wantCode(t, fmt.Sprint("operation ", i), test.err, test.code)
	}
	for i := range maxAttachedPolicies + 1 {
		name, code := fmt.Sprint("p", i), ""
		if i == maxAttachedPolicies {
			code = "LimitExceededException"
		}
		wantCode(t, "CreatePolicy", create(name, publishPolicy), "")
		wantCode(t, "AttachPolicy "+name, r.AttachPolicy(name, identity), code)
	}
	if names := len(r.Policies()); names != maxAttachedPolicies+1 {
		t.Errorf("there are %d policies", names)
	}
}

// Policies and attachments survive a restart.
func TestRegistryInStore(t *testing.T) {
	db := storetest.Open(t, t.TempDir())
	r := newRegistry(t, RegistryOptions{Store: db})
	for _, name := range []string{"a", "b", "deleted"} {
		if _, err := r.CreatePolicy(name, publishPolicy); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "AttachPolicy", r.AttachPolicy(name, identity), "")
	}
	other := "us-east-1:1"
	wantCode(t, "AttachPolicy", r.AttachPolicy("a", other), "")
	wantCode(t, "DetachPolicy", r.DetachPolicy("a", other), "")
	wantCode(t, "DetachPolicy", r.DetachPolicy("deleted", identity), "")
	wantCode(t, "DeletePolicy", r.DeletePolicy("deleted"), "")

	r = newRegistry(t, RegistryOptions{Store: db})
	if list, err := r.ListAttachedPolicies(identity); err != nil || len(list) != 2 || r.attached != 2 {
		t.Errorf("after a restart: %v, %v, %d attachments", list, err, r.attached)
	}
	if p, err := r.GetPolicy("a"); err != nil || p.Document.String() != publishPolicy || p.Version != "1" {
		t.Errorf("after a restart: %v, %v", p, err)
	}
	if _, err := r.GetPolicy("deleted"); err == nil || len(r.attachments[other]) > 0 {
		t.Error("a deleted policy or attachment exists after a restart")
	}
	if s := r.Session(Owner{IdentityID: identity, Authenticated: true}, Connection{}); !s.MayConnect() {
		t.Error("an attachment has no effect after a restart")
	}
	db.Close()
	wantCode(t, "AttachPolicy without a store", r.AttachPolicy("a", other), "InternalFailureException")
	if _, err := r.CreatePolicy("c", publishPolicy); err == nil || len(r.Policies()) != 2 {
		t.Error("CreatePolicy succeeded without a store")
	}
}

// The cache of Receive is bounded, and is safe for concurrent use.
func TestReceiveCache(t *testing.T) {
	r := newRegistry(t, RegistryOptions{AttachPolicy: true})
	s := r.Session(Owner{IdentityID: identity, Authenticated: true}, Connection{})
	s.Connect("c", false, false)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range maxDecisions {
				if !s.Receive(fmt.Sprint(i, j)) {
					t.Error("Receive refuses")
				}
			}
			s.Publish("a", false)
		})
	}
	wg.Wait()
	if n := len(s.decisions); n == 0 || n > maxDecisions {
		t.Errorf("the cache has %d topics", n)
	}
	long := strings.Repeat("x", maxCachedTopic+1)
	if !s.Receive(long) {
		t.Error("Receive refuses a long topic")
	}
	if _, ok := s.decisions[long]; ok {
		t.Error("the cache has a long topic")
	}
}

// The Policy of the registry applies, and a thing is found by the name.
func TestThing(t *testing.T) {
	r := newRegistry(t, RegistryOptions{
		Policy: mustParse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{"Bool":{"iot:Connection.Thing.IsAttached":true}}}}`),
		Thing:  func(name string) (map[string]string, bool) { return nil, name == "lamp" },
	})
	if s := r.Session(Owner{}, Connection{}); !s.Connect("lamp", false, false) || s.Connect("truck", false, false) {
		t.Errorf("the thing has no effect: %s", s.Refusal())
	}
}

// New documents apply to topics in the cache.
func TestSetDocuments(t *testing.T) {
	s := NewSession("us-east-1", []*Document{Guest("us-east-1")}, Connection{}, nil)
	if !s.Receive("hello") || s.Receive("private") {
		t.Error("the first documents have no effect")
	}
	s.SetDocuments([]*Document{mustParse(`{"Statement":{"Effect":"Allow","NotAction":"iot:Publish","NotResource":"` + arnPrefix + `topic/hello"}}`)})
	if s.Receive("hello") || !s.Receive("private") || s.Publish("private", false) {
		t.Error("the second documents have no effect")
	}
}

func BenchmarkReceive(b *testing.B) {
	s := NewSession("us-east-1", []*Document{Guest("us-east-1")}, Connection{}, nil)
	s.Connect("c", false, false)
	topics := []string{"public/a", "public/b", "private"}
	for i := 0; b.Loop(); i++ {
		s.Receive(topics[i%len(topics)])
	}
}
