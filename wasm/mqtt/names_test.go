package mqtt

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

var (
	scriptReason   = regexp.MustCompile(`(?m)^  0x([0-9A-F]{2}): "(.*)",$`)
	scriptProperty = regexp.MustCompile(`(?m)^  (\d+): \["(.*)", "(\w+)"\],$`)
	scriptType     = regexp.MustCompile(`"(\w+)"`)
)

// kindNames contains the names of the property types in names.js.
var kindNames = map[propertyKind]string{kindBool: "byte", kindUint16: "uint16", kindUint32: "uint32", kindVarint: "varint", kindString: "string", kindBinary: "binary", kindStringPair: "pair"}

// clientOnly contains the properties that the engine does not decode, with their types.
var clientOnly = map[int]string{21: "string", 22: "binary", 23: "byte", 24: "uint32", 25: "byte"}

// nameDifferences returns one text for each entry of www/iot/names.js that differs from the
// tables of the engine.
func nameDifferences(script string) (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	codes := map[int]string{}
	for _, m := range scriptReason.FindAllStringSubmatch(script, -1) {
		code, _ := strconv.ParseUint(m[1], 16, 8)
		codes[int(code)] = m[2]
	}
	for code, r := range reasons {
		want := r.name
		switch code {
		case 0x18:
			want = "continue authentication"
		case 0x19:
			want = "re-authenticate"
		}
		if codes[code] != want {
			report("reason code 0x%02X is %q, want %q", code, codes[code], want)
		}
		delete(codes, code)
	}
	if len(codes) > 0 {
		report("unknown reason codes: %v", codes)
	}
	kinds := map[int]string{}
	for _, m := range scriptProperty.FindAllStringSubmatch(script, -1) {
		id, _ := strconv.Atoi(m[1])
		kinds[id] = m[3]
	}
	for id := range 256 {
		want := clientOnly[id]
		if id < len(propertyTable) && want == "" {
			want = kindNames[propertyTable[id].kind]
		}
		_, known := packets.ValidProperties[byte(id)]
		if kinds[id] != want || known != (want != "") {
			report("property %d is %q, want %q", id, kinds[id], want)
		}
	}
	_, list, _ := strings.Cut(script, "TYPES = [")
	list, _, _ = strings.Cut(list, "]")
	names := scriptType.FindAllStringSubmatch(list, -1)
	for i, want := range packetNames {
		if i >= len(names) || names[i][1] != want {
			report("packet type %d is not %s", i, want)
		}
	}
	return found
}

// TestNames compares the tables of www/iot/names.js with those of the engine.
func TestNames(t *testing.T) {
	data, err := os.ReadFile("../../www/iot/names.js")
	if err != nil {
		t.Fatal(err)
	}
	script := string(data)
	for _, d := range nameDifferences(script) {
		t.Error(d)
	}
	for old, changed := range map[string]string{
		`0x87: "not authorized"`:            `0x87: "banned"`,
		`  0x97: "quota exceeded",`:         ``,
		`0x8A: "banned",`:                   "0x8A: \"banned\",\n  0xA3: \"new\",",
		`33: ["Receive Maximum", "uint16"]`: `33: ["Receive Maximum", "uint32"]`,
		`38: ["User Property", "pair"],`:    ``,
		`"PUBREC", "PUBREL"`:                `"PUBREL", "PUBREC"`,
	} {
		if !strings.Contains(script, old) {
			t.Errorf("names.js does not contain %q", old)
		} else if len(nameDifferences(strings.Replace(script, old, changed, 1))) == 0 {
			t.Errorf("no difference after the change of %q to %q", old, changed)
		}
	}
}
