package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

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

// newRecorder returns a recorder for a new type, which it adds to types under the name.
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
	return 1, name != "subscription" // without a subscription, unsubscribe also reads the member filter
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
