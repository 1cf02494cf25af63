package bridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/mutant"
	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// A shape contains the types of the members of an object, by name. The name of an
// optional member ends with "?".
type shape map[string]string

// A contract contains the types of one side, Go or www/iot/abi.js, by name. Both sides
// must have the same types.
type contract map[string]shape

// recorder is a Value that has every member. It records the members that an operation
// reads.
type recorder struct {
	shape shape
	types contract
	name  string // of the type
}

// objects contains the types of nested objects, by the name of the member.
var objects = map[string]string{
	"options": "ConnectArgument", "credentials": "CredentialsArgument", "authorizer": "AuthorizerArgument",
	"will": "WillArgument", "reconnect": "ReconnectArgument", "offline": "OfflineArgument",
}

// newRecorder returns a recorder that adds the type of that name to types.
func newRecorder(types contract, name string) recorder {
	r := recorder{shape{}, types, name}
	types[name] = r.shape
	return r
}

// note adds a member. If an operation reads it with several types, its type is a union.
func (r recorder) note(name, kind string) {
	if known := r.shape[name]; known != "" && known != kind {
		kinds := append(strings.Split(known, " | "), kind)
		slices.Sort(kinds)
		kind = strings.Join(slices.Compact(kinds), " | ")
	}
	r.shape[name] = kind
}

func (r recorder) Text(name string) (string, bool) {
	r.note(name, "string")
	return "x", true
}

func (r recorder) Number(name string) (float64, bool) {
	r.note(name, "number")
	return 1, name != "subscription" // without it, unsubscribe also reads the member filter
}

func (r recorder) Flag(name string) (flag, ok bool) {
	r.note(name, "boolean")
	return true, true
}

func (r recorder) Bytes(name string) []byte {
	r.note(name, "Uint8Array")
	return []byte("x")
}

func (r recorder) Pairs(name string) []mqtt.UserPair {
	r.note(name, "[string, string][]")
	return nil
}

func (r recorder) Object(name string) (Value, bool) {
	kind := objects[name]
	r.note(name, kind)
	return newRecorder(r.types, kind), true
}

// arguments returns the types of the arguments of all operations.
func arguments() contract {
	types := contract{}
	for _, o := range slices.Concat(pageOperations, clientOperations) {
		b := New(func() float64 { return 0 })
		r := newRecorder(types, "operation "+o.name)
		o.run(b, client.New((*host)(b), b.rand), 0, r)
	}
	return types
}

// effects returns the types of all effects. For an effect with optional members, the
// samples contain one call with all members, and one with as few as possible.
func effects() contract {
	full := &client.Error{Class: client.IotError, Code: "C", Phase: client.PhaseOpen, Message: "m", Reason: 1, CloseCode: 1}
	bare := &client.Error{Class: client.TypeError}
	granted := new(mqtt.Connack)
	samples := []func(h *host){
		func(h *host) { h.Provide(1, true) },
		func(h *host) { h.Open(1, secret.String("wss://x")) },
		func(h *host) { h.Close(1, []byte("x")) },
		func(h *host) { h.Probe(1, secret.String("https://x")) },
		func(h *host) { h.StateChanged(client.Change{Granted: granted, Err: full, RetryIn: time.Second}) },
		func(h *host) { h.StateChanged(client.Change{RetryIn: -1}) },
		func(h *host) { h.ConnectDone(1, granted) },
		func(h *host) {
			h.PublishDone(1, mqtt.PublishResult{ReasonString: "s", User: []mqtt.UserPair{{Name: "a"}}})
		},
		func(h *host) { h.PublishDone(1, mqtt.PublishResult{ReasonString: "s"}) },
		func(h *host) { h.PublishDone(1, mqtt.PublishResult{User: []mqtt.UserPair{{Name: "a"}}}) },
		func(h *host) { h.Done(1, full) },
		func(h *host) { h.Done(1, bare) },
		func(h *host) { h.SubscriptionEnded(1, full) },
		func(h *host) { h.SubscriptionEnded(1, nil) },
	}
	types := contract{}
	for _, sample := range samples {
		b := New(func() float64 { return 0 })
		sample((*host)(b))
		var o map[string]any
		if err := json.Unmarshal(effectText(b), &o); err != nil {
			panic(err)
		}
		types.add("effect "+o["kind"].(string), o)
	}
	return types
}

// objectType returns the type of a nested object.
func objectType(member string, o map[string]any) string {
	switch {
	case member == "error":
		return "ErrorObject"
	case o["reasonCode"] != nil:
		return "PublishResult"
	}
	return "Connection"
}

// add adds the type of o. If the type exists, add merges the two. A member that one of
// them does not have becomes optional.
func (c contract) add(name string, o map[string]any) {
	s := shape{}
	for member, value := range o {
		switch v := value.(type) {
		case string:
			s[member] = "string"
		case float64:
			s[member] = "number"
		case bool:
			s[member] = "boolean"
		case []any:
			s[member] = "[string, string][]"
		case map[string]any:
			s[member] = objectType(member, v)
			c.add(s[member], v)
		default:
			s[member] = fmt.Sprintf("%T", v)
		}
	}
	old, ok := c[name]
	if !ok {
		c[name] = s
		return
	}
	merged := shape{}
	for _, part := range []shape{old, s} {
		for member, kind := range part {
			plain := strings.TrimSuffix(member, "?")
			_, a := old[plain]
			_, b := s[plain]
			key := plain + "?"
			if a && b {
				key = plain
			}
			if known := merged[key]; known != "" && known != kind {
				kind = "Connection | PublishResult"
			}
			merged[key] = kind
		}
	}
	c[name] = merged
}

// effectText returns the JSON object of the last record.
func effectText(b *Bridge) []byte {
	records, err := abi.Decode(b.table.Words())
	if err != nil {
		panic(err)
	}
	record := records[len(records)-1].(abi.EffectRecord)
	return find(b, record.Text)
}

var (
	operations = regexp.MustCompile(`(?s)@typedef \{\{\n(.*?) \* \}\} Operations`)
	argument   = regexp.MustCompile(`(?m)^ \*   (\w+): (?:undefined|\{ (.*) \}),$`)
	effectType = regexp.MustCompile(`\{ (kind: "(\w+)", .*?) \}(?:\n|\} Effect)`)
	objectLine = regexp.MustCompile(`(?m)^/\*\* @typedef \{\{ (.*) \}\} (\w+) \*/$`)
	member     = regexp.MustCompile(`(\w+\??): ((?:\[[^\]]*\]\[\]|[^,\[]+))`)
)

// parseShape parses the members of an object type.
func parseShape(text string) shape {
	s := shape{}
	for _, m := range member.FindAllStringSubmatch(text, -1) {
		s[m[1]] = m[2]
	}
	return s
}

// declared returns the types that abi.js declares.
func declared(script string) contract {
	types := contract{}
	block := operations.FindStringSubmatch(script)
	if block == nil {
		return types
	}
	for _, a := range argument.FindAllStringSubmatch(block[1], -1) {
		types["operation "+a[1]] = parseShape(a[2])
	}
	for _, e := range effectType.FindAllStringSubmatch(script, -1) {
		s := parseShape(e[1])
		s["kind"] = "string"
		types["effect "+e[2]] = s
	}
	for _, o := range objectLine.FindAllStringSubmatch(script, -1) {
		types[o[2]] = parseShape(o[1])
	}
	return types
}

// differences returns one text for each type that differs between Go and the sources of
// abi.js and iot.d.ts.
func differences(script, typings string) (found []string) {
	want := declared(script)
	want["Connection"] = interfaceOf(typings, "Connection")
	got := effects()
	for name, s := range arguments() {
		got[name] = s
	}
	var counters map[string]any
	b := New(func() float64 { return 0 })
	if err := json.Unmarshal([]byte(stats(b, client.New((*host)(b), b.rand), 0, nil)), &counters); err != nil {
		return []string{err.Error()}
	}
	got.add("Stats", counters)
	want["Stats"] = interfaceOf(typings, "Stats")
	delete(want["Stats"], "roundTripMs?") // stats omits it before the first measurement
	found = append(found, missingOptions(typings, want)...)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			found = append(found, fmt.Sprintf("%s is missing in JavaScript", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[name]
		if !ok {
			found = append(found, fmt.Sprintf("%s is missing in Go", name))
			continue
		}
		input := strings.HasPrefix(name, "operation ") || strings.HasSuffix(name, "Argument")
		found = append(found, compare(name, g, want[name], input)...)
	}
	return found
}

// options are the options of the public API with the arguments that pass them on, and
// the options that JavaScript keeps for itself.
var options = map[string]struct {
	argument string
	kept     []string
}{
	"ConnectOptions":   {"ConnectArgument", []string{"signal"}},
	"Will":             {"WillArgument", nil},
	"ReconnectOptions": {"ReconnectArgument", nil},
	"OfflineOptions":   {"OfflineArgument", nil},
	"CustomAuthorizer": {"AuthorizerArgument", nil},
	"SubscribeOptions": {"operation subscribe", []string{"bufferSize", "bufferBytes", "signal"}},
	"PresignOptions":   {"operation presign", nil},
}

// missingOptions returns the options of the typings that no argument passes on.
func missingOptions(typings string, arguments contract) (found []string) {
	for name, o := range options {
		members := interfaceOf(typings, name)
		if len(members) == 0 {
			found = append(found, fmt.Sprintf("iot.d.ts has no members of %s", name))
		}
		for member := range members {
			member = strings.TrimSuffix(member, "?")
			_, a := arguments[o.argument][member]
			_, b := arguments[o.argument][member+"?"]
			if !a && !b && !slices.Contains(o.kept, member) {
				found = append(found, fmt.Sprintf("%s.%s is not passed to Go", name, member))
			}
		}
	}
	return found
}

// compare compares the shapes of Go (got) and JavaScript (want). For an input, it does
// not compare which members are optional, as the recorder has every member.
func compare(name string, got, want shape, input bool) (found []string) {
	required := func(s shape) shape {
		if !input {
			return s
		}
		out := shape{}
		for member, kind := range s {
			out[strings.TrimSuffix(member, "?")] = kind
		}
		return out
	}
	got, want = required(got), required(want)
	for member, kind := range want {
		if got[member] == "" {
			found = append(found, fmt.Sprintf("%s.%s is missing in Go", name, member))
		} else if got[member] != kind && kind != "" {
			found = append(found, fmt.Sprintf("%s.%s is %s in JavaScript and %s in Go", name, member, kind, got[member]))
		}
	}
	for member := range got {
		if _, ok := want[member]; !ok {
			found = append(found, fmt.Sprintf("%s.%s is missing in JavaScript", name, member))
		}
	}
	return found
}

// interfaceOf returns the members of an interface of the typings, without their types.
func interfaceOf(typings, name string) shape {
	_, rest, _ := strings.Cut(typings, "export interface "+name+" {")
	body, _, _ := strings.Cut(rest, "\n}")
	s := shape{}
	for _, m := range regexp.MustCompile(`(?m)^  (?:readonly )?(\w+\??):`).FindAllStringSubmatch(body, -1) {
		s[m[1]] = ""
	}
	return s
}

// readSources returns the sources of abi.js and iot.d.ts.
func readSources(t *testing.T) (script, typings string) {
	t.Helper()
	a, err := os.ReadFile("../../www/iot/abi.js")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../www/iot.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	return string(a), string(b)
}

// TestContract compares the types that www/iot/abi.js declares with the members that the
// operations read and the effects contain.
func TestContract(t *testing.T) {
	for _, d := range differences(readSources(t)) {
		t.Error(d)
	}
	if n := len(arguments()); n < 19 {
		t.Errorf("there are only %d types of arguments", n)
	}
}

// TestContractMutants checks that differences reports each change of JavaScript.
func TestContractMutants(t *testing.T) {
	script, typings := readSources(t)
	for old, changed := range map[string]string{
		"   cancel: { token: number },":             "   cancel: { id: number },",
		"   wake: undefined,":                       "   wakeUp: undefined,",
		"   disconnect: { token: number },":         "   disconnect: { token: number, reason: string },",
		"qos?: number, noLocal?: boolean":           "qos?: string, noLocal?: boolean",
		`{ kind: "close", attempt: number }`:        `{ kind: "end", attempt: number }`,
		`subscription: number, error?: ErrorObject`: `id: number, error?: ErrorObject`,
		"maxMessages?: number":                      "maxCount?: number",
		"retryInMs?: number":                        "retryInMs: number",
		"reasonString?: string":                     "words?: string",
		"class: string, code: string":               "class: number, code: string",
	} {
		if !strings.Contains(script, old) {
			t.Errorf("abi.js has no %q", old)
		} else if len(differences(strings.Replace(script, old, changed, 1), typings)) == 0 {
			t.Errorf("differences does not report the change of %q to %q", old, changed)
		}
	}
	if len(differences(script, strings.Replace(typings, "sessionPresent", "resumed", 1))) == 0 {
		t.Error("differences does not report a renamed member of Connection")
	}
	if len(differences(script, strings.Replace(typings, "export interface ConnectOptions {", "export interface ConnectOptions {\n  added?: boolean;", 1))) == 0 {
		t.Error("an option that is not passed to Go is not found")
	}
}

// TestContractMutantsOfGo checks that TestConstants or TestContract fails after each
// change of Go.
func TestContractMutantsOfGo(t *testing.T) {
	for name, m := range map[string]struct{ file, old, replacement string }{
		"the layout of the header":   {"../abi/header.go", "	CrashAddress, CrashLength uint32", "	Spare uint32\n	CrashAddress, CrashLength uint32"},
		"a property identifier":      {"../mqtt/properties.go", "ContentType            PropertyID = 3", "ContentType            PropertyID = 7"},
		"the name of an operation":   {"operations.go", `{"openFailed", openFailed}`, `{"openFailure", openFailed}`},
		"a member of an argument":    {"options.go", `"keepAlive"`, `"keepAliveSeconds"`},
		"the kind of an effect":      {"host.go", `h.effect("provide"`, `h.effect("resolve"`},
		"a member of an effect":      {"host.go", `o.Flag("recovered", c.Recovered)`, ``},
		"a member of the connection": {"host.go", `o.Text("clientId", g.ClientID)`, `o.Text("clientID", g.ClientID)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := mutant.Overlay(t.TempDir(), m.file, m.old, m.replacement)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "test", "-vet=off", "-overlay", config, "-run", "^Test(Constants|Contract)$", "../abi", ".").CombinedOutput()
			if err == nil {
				t.Error("both tests pass")
			} else if !strings.Contains(string(out), "--- FAIL: Test") {
				t.Errorf("the tests did not run: %s", out)
			}
		})
	}
}
