package abi_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/mqtt"
)

// goOnly contains the constants that abi.js does not need.
var goOnly = map[string]bool{"PENDING_BLOCKED": true}

// scriptOnly contains the constants of abi.js that Go does not have.
var scriptOnly = map[string]bool{"LEAST_INPUT": true, "LARGE_INPUT": true}

// An edit changes the source of a Go file. nil: no change.
type edit func(source string) string

// constants returns the constants that www/iot/abi.js must declare, with Go's values: the
// exported constants of this package after the edit, the offsets of the header in words,
// and the property identifiers of a PUBLISH.
func constants(t *testing.T, change edit) map[string]uint64 {
	t.Helper()
	word := func(offset uintptr) uint64 { return uint64(offset / 4) }
	var header abi.Header
	all := map[string]uint64{
		"HEADER_OUTPUT_ADDRESS": word(unsafe.Offsetof(header.OutputAddress)),
		"HEADER_OUTPUT_LENGTH":  word(unsafe.Offsetof(header.OutputLength)),
		"HEADER_TABLE_ADDRESS":  word(unsafe.Offsetof(header.TableAddress)),
		"HEADER_TABLE_LENGTH":   word(unsafe.Offsetof(header.TableLength)),
		"HEADER_CRASH_ADDRESS":  word(unsafe.Offsetof(header.CrashAddress)),
		"HEADER_CRASH_LENGTH":   word(unsafe.Offsetof(header.CrashLength)),
		"HEADER_PENDING":        word(unsafe.Offsetof(header.Pending)),
		"HEADER_TOPIC_ADDRESS":  word(unsafe.Offsetof(header.TopicAddress)),
		"HEADER_PART":           word(unsafe.Offsetof(header.Part)),

		"PAYLOAD_FORMAT": uint64(mqtt.PayloadFormat), "MESSAGE_EXPIRY": uint64(mqtt.MessageExpiry), "CONTENT_TYPE": uint64(mqtt.ContentType),
		"RESPONSE_TOPIC": uint64(mqtt.ResponseTopic), "CORRELATION_DATA": uint64(mqtt.CorrelationData), "USER_PROPERTY": uint64(mqtt.UserProperty),
	}
	for name, value := range exported(t, change) {
		if name = scriptName(name); !goOnly[name] {
			all[name] = value
		}
	}
	return all
}

// scriptName converts the name of a Go constant to that of JavaScript.
func scriptName(name string) string {
	name = strings.ReplaceAll(name, "QoS", "Qos")
	name = regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2")
	return strings.ToUpper(name)
}

// exported returns the exported constants of this package after the edit.
func exported(t *testing.T, change edit) map[string]uint64 {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range []string{"header.go", "records.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(source)
		if change != nil {
			text = change(text)
		}
		file, err := parser.ParseFile(files, name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	// The functions use other files of the package, so the check finds errors in the
	// functions. Only the constants matter.
	config := types.Config{Error: func(error) {}, Importer: importer.Default(), Sizes: types.SizesFor("gc", "wasm")}
	pkg, _ := config.Check("abi", files, parsed, nil)
	found := map[string]uint64{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && c.Exported() {
			value, exact := constant.Uint64Val(constant.ToInt(c.Val()))
			if !exact {
				t.Fatalf("the value of %s is unknown", name)
			}
			found[name] = value
		}
	}
	return found
}

var (
	declaration = regexp.MustCompile(`(?m)^(?:export )?const ([A-Z][A-Z0-9_]* = .*);$`)
	assignment  = regexp.MustCompile(`([A-Z][A-Z0-9_]*) = (\d+)`)
)

// differences returns one text for each constant that differs between the source of
// abi.js and Go.
func differences(constants map[string]uint64, script string) (found []string) {
	seen := map[string]bool{}
	for _, line := range declaration.FindAllStringSubmatch(script, -1) {
		for _, a := range assignment.FindAllStringSubmatch(line[1], -1) {
			name := a[1]
			value, err := strconv.ParseUint(a[2], 10, 64)
			want, ok := constants[name]
			seen[name] = true
			switch {
			case scriptOnly[name]:
			case err != nil || !ok:
				found = append(found, name+" is unknown to Go")
			case value != want:
				found = append(found, fmt.Sprintf("%s is %d; in Go it is %d", name, value, want))
			}
		}
	}
	for name := range constants {
		if !seen[name] {
			found = append(found, name+" is missing in abi.js")
		}
	}
	return found
}

func readScript(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../www/iot/abi.js")
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// TestConstants checks that www/iot/abi.js and Go have the same constants.
func TestConstants(t *testing.T) {
	for _, d := range differences(constants(t, nil), readScript(t)) {
		t.Error(d)
	}
}

// TestConstantsMutants checks that differences reports each change of abi.js.
func TestConstantsMutants(t *testing.T) {
	script, all := readScript(t), constants(t, nil)
	for old, changed := range map[string]string{
		"HEADER_PENDING = 8":    "HEADER_PENDING = 9",
		"MESSAGE_PAYLOAD = 3":   "MESSAGE_PAYLOAD = 4",
		"PROPERTY_WORDS = 5":    "PROPERTY_WORDS = 6",
		"FLAG_LISTENERS = 512":  "FLAG_LISTENERS = 1024",
		"KIND_DONE = 3":         "KIND_DONE = 4",
		"USER_PROPERTY = 38":    "USER_PROPERTY = 37",
		"FLAG_SELECTED = 256":   "FLAG_SELECTED = 256, FLAG_NEW = 2048",
		"EFFECT_BYTES = 3":      "EFFECT_DATA = 3",
		"SENT = 1, ":            "",
		"PACKET_SIZE = 2":       "PACKET_SIZE = 1",
		"MAX_INPUT = 268435455": "MAX_INPUT = 268435456",
	} {
		if !strings.Contains(script, old) {
			t.Errorf("abi.js does not contain %q", old)
		} else if len(differences(all, strings.Replace(script, old, changed, 1))) == 0 {
			t.Errorf("differences does not report %q instead of %q", changed, old)
		}
	}
}

// TestConstantsMutantsOfGo checks that differences reports each change of Go.
func TestConstantsMutantsOfGo(t *testing.T) {
	script := readScript(t)
	for old, changed := range map[string]string{
		"MessagePayload    = 3":  "MessagePayload    = 4",
		"FlagUTF8      = 1 << 4": "FlagUTF8      = 1 << 10",
		"KindEffect  = 4":        "KindEffect  = 4\n\tKindNew = 5",
		"Sent     = 1":           "Sent     = 3",
		"DoneWords  = 3":         "DoneSize = 3",
		"PacketBytes = 3":        "PacketBytes = 2",
	} {
		count := 0
		all := constants(t, func(source string) string {
			count += strings.Count(source, old)
			return strings.Replace(source, old, changed, 1)
		})
		if count != 1 {
			t.Errorf("the sources contain %q %d times, want once", old, count)
		} else if len(differences(all, script)) == 0 {
			t.Errorf("differences does not report %q instead of %q", changed, old)
		}
	}
}
