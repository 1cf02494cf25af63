package abi_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/mqtt"
)

// word converts an offset in the header from bytes to words.
func word(offset uintptr) uint64 { return uint64(offset / 4) }

var header abi.Header

// constants contains the names that www/iot/abi.js must declare, with Go's values.
var constants = map[string]uint64{
	"HEADER_OUTPUT_ADDRESS": word(unsafe.Offsetof(header.OutputAddress)),
	"HEADER_OUTPUT_LENGTH":  word(unsafe.Offsetof(header.OutputLength)),
	"HEADER_TABLE_ADDRESS":  word(unsafe.Offsetof(header.TableAddress)),
	"HEADER_TABLE_LENGTH":   word(unsafe.Offsetof(header.TableLength)),
	"HEADER_CRASH_ADDRESS":  word(unsafe.Offsetof(header.CrashAddress)),
	"HEADER_CRASH_LENGTH":   word(unsafe.Offsetof(header.CrashLength)),
	"HEADER_PENDING":        word(unsafe.Offsetof(header.Pending)),
	"HEADER_TOPIC_ADDRESS":  word(unsafe.Offsetof(header.TopicAddress)),
	"HEADER_WORDS":          uint64(abi.HeaderWords),
	"PENDING_NOTHING":       abi.PendingNothing,
	"PENDING_READY":         abi.PendingReady,
	"SENT":                  abi.Sent,
	"MAX_TOPIC":             abi.MaxTopic,
	"MAX_INPUT":             abi.MaxInput,

	"KIND_TOPIC": abi.KindTopic, "KIND_MESSAGE": abi.KindMessage, "KIND_DONE": abi.KindDone,
	"TOPIC_ID": abi.TopicID, "TOPIC_FIRST": abi.TopicFirst, "TOPIC_NAME": abi.TopicName,
	"TOPIC_RECIPIENTS": abi.TopicRecipients, "TOPIC_WORDS": abi.TopicWords,
	"MESSAGE_TOPIC": abi.MessageTopic, "MESSAGE_FLAGS": abi.MessageFlags, "MESSAGE_PAYLOAD": abi.MessagePayload,
	"MESSAGE_PACKET": abi.MessagePacket, "MESSAGE_RECIPIENTS": abi.MessageRecipients,
	"MESSAGE_PROPERTIES": abi.MessageProperties, "MESSAGE_WORDS": abi.MessageWords,
	"PROPERTY_ID": abi.PropertyID, "PROPERTY_DATA": abi.PropertyData, "PROPERTY_VALUE": abi.PropertyValue, "PROPERTY_WORDS": abi.PropertyWords,
	"DONE_TOKEN": abi.DoneToken, "DONE_REASON": abi.DoneReason, "DONE_WORDS": abi.DoneWords,
	"EFFECT_TEXT": abi.EffectText, "EFFECT_BYTES": abi.EffectBytes, "EFFECT_WORDS": abi.EffectWords,

	"FLAG_QOS": abi.FlagQoS, "FLAG_RETAIN": abi.FlagRetain, "FLAG_DUPLICATE": abi.FlagDuplicate, "FLAG_UTF8": abi.FlagUTF8,
	"FLAG_OWN_MEMORY": abi.FlagOwnMemory, "FLAG_SHARED": abi.FlagShared, "FLAG_UNCLAIMED": abi.FlagUnclaimed,
	"FLAG_SELECTED": abi.FlagSelected, "FLAG_LISTENERS": abi.FlagListeners,

	"PAYLOAD_FORMAT": uint64(mqtt.PayloadFormat), "MESSAGE_EXPIRY": uint64(mqtt.MessageExpiry), "CONTENT_TYPE": uint64(mqtt.ContentType),
	"RESPONSE_TOPIC": uint64(mqtt.ResponseTopic), "CORRELATION_DATA": uint64(mqtt.CorrelationData), "USER_PROPERTY": uint64(mqtt.UserProperty),
}

// scriptOnly contains the constants of abi.js that Go does not have.
var scriptOnly = map[string]bool{"LEAST_INPUT": true, "LARGE_INPUT": true}

var (
	declaration = regexp.MustCompile(`(?m)^(?:export )?const ([A-Z][A-Z0-9_]* = .*);$`)
	assignment  = regexp.MustCompile(`([A-Z][A-Z0-9_]*) = (\d+)`)
)

// differences returns one text for each constant that differs between the source of
// abi.js and Go.
func differences(script string) (found []string) {
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
				found = append(found, name+" is missing in Go")
			case value != want:
				found = append(found, fmt.Sprintf("%s is %d in abi.js and %d in Go", name, value, want))
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
	for _, d := range differences(readScript(t)) {
		t.Error(d)
	}
}

// TestConstantsMutants checks that differences reports each change of abi.js.
func TestConstantsMutants(t *testing.T) {
	script := readScript(t)
	for old, changed := range map[string]string{
		"HEADER_PENDING = 8":    "HEADER_PENDING = 9",
		"MESSAGE_PAYLOAD = 3":   "MESSAGE_PAYLOAD = 4",
		"PROPERTY_WORDS = 5":    "PROPERTY_WORDS = 6",
		"FLAG_LISTENERS = 512":  "FLAG_LISTENERS = 1024",
		"KIND_DONE = 3":         "KIND_DONE = 4",
		"USER_PROPERTY = 38":    "USER_PROPERTY = 37",
		"FLAG_SELECTED = 256":   "FLAG_SELECTED = 256, FLAG_NEW = 2048",
		"EFFECT_BYTES = 3":      "EFFECT_DATA = 3",
		"const SENT = 1;":       "",
		"MAX_INPUT = 268435455": "MAX_INPUT = 268435456",
	} {
		if !strings.Contains(script, old) {
			t.Errorf("abi.js has no %q", old)
		} else if len(differences(strings.Replace(script, old, changed, 1))) == 0 {
			t.Errorf("differences does not report the change of %q to %q", old, changed)
		}
	}
}
