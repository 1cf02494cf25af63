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

	"iot.wasm/internal/mutant"
	"iot.wasm/wasm/client"
)

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

// options maps each type of options in the public API to the argument that passes its
// members to Go. JavaScript does not pass the members in kept.
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

// missingOptions returns one text for each option of the typings that no argument passes
// to Go.
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
// not compare which members are optional, because the recorder has every member.
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
		t.Error("differences does not report an option that is not passed to Go")
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
