//go:build js && wasm

package main

import (
	"math"
	"syscall/js"
	"time"
	"unsafe"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// header is what JavaScript reads after each call. Its address never changes.
// The table it points to holds records of 32-bit words, which say in order what
// has happened; www/iot/core.js has the reader.
var header struct {
	outAddr, outLen uint32  // bytes to send, at the end of a turn
	tabAddr, tabLen uint32  // records, in words
	crashed         uint32  // 1 after a panic: the module must not be used again
	pending         uint32  // 1: something can be sent; 2: something waits for room in the socket
	deadline        float64 // when iot_turn wants to be called, in ms; +Inf for never
	topicAddr       uint32  // where JavaScript writes the topic of a publish
}

// The kinds of record, by their first word.
const (
	recordTopic     = 1 // id, 1 if all topics before it are void, name address, name length, count, that many filter ids
	recordMessage   = 2 // topic id, payload address and length, flags, packet address and length, count, that many properties of 5 words
	recordPublished = 3 // token, reason code, reason string's address and length, count, that many user properties of 4 words
	recordDone      = 4 // token
	recordEffect    = 5 // an object has been pushed onto bridge.effects
)

// The flags of recordMessage, above the two bits of the QoS.
const (
	flagRetain = 1 << (iota + 2)
	flagDuplicate
	flagUTF8
	flagOwnMemory // the packet came in pieces, or earlier, and lies in our memory, not in the frame
	_             // JavaScript's own
	flagUnclaimed // it has no recipient, and is reported
)

var (
	input []byte        // where JavaScript puts its bytes
	topic [1 << 16]byte // and the topic of a publish, which stays for the next
	table []uint32
	kept  []any // what the table points to and nothing else keeps
)

// begin starts a call from JavaScript.
func begin() {
	if len(table) > 0 {
		table = table[:0]
		clear(kept)
		kept = kept[:0]
	}
}

// end fills the header for the client c, if there is one.
func end(c *client.Client) {
	if c != nil {
		header.pending = 0
		switch now, waiting := c.Pending(); {
		case now:
			header.pending = 1
		case waiting:
			header.pending = 2
		}
		header.deadline = math.Inf(1)
		if d := c.Deadline(); d != mqtt.Never {
			header.deadline = float64(d) / float64(time.Millisecond)
		}
	}
	header.tabAddr, header.tabLen = address(table), uint32(len(table))
}

// caught, deferred, reports a panic in place of letting it end the program.
func caught() {
	if r := recover(); r != nil {
		panicked(r)
		header.tabLen = 0
	}
}

func address[T any](s []T) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))) }

func textAddress(s string) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))) }

// host writes down, in the table, what the clients want done.
type host struct{}

func effect(kind string, fields ...any) {
	o := object(fields...)
	o.Set("kind", kind)
	bridge.Get("effects").Call("push", o)
	table = append(table, recordEffect)
}

// object makes a JavaScript object of names and values in turn.
func object(fields ...any) js.Value {
	o := js.Global().Get("Object").New()
	for i := 0; i < len(fields); i += 2 {
		o.Set(fields[i].(string), fields[i+1])
	}
	return o
}

func (host) Resolve(attempt uint32, refused bool) {
	effect("resolve", "attempt", attempt, "refused", refused)
}

func (host) Open(attempt uint32, url secret.String) {
	effect("open", "attempt", attempt, "url", url.Reveal())
}

func (host) Close(attempt uint32, last []byte) {
	bytes := js.Global().Get("Uint8Array").New(len(last))
	js.CopyBytesToJS(bytes, last)
	effect("close", "attempt", attempt, "last", bytes)
}

func (host) Probe(attempt uint32, url secret.String) {
	effect("probe", "attempt", attempt, "url", url.Reveal())
}

func (host) StateChanged(c client.Change) {
	fields := []any{"event", c.Event, "state", string(c.State), "attempt", c.Attempt, "recovered", c.Recovered}
	if c.Granted != nil {
		fields = append(fields, "connection", connection(c.Granted))
	}
	if c.Err != nil {
		fields = append(fields, "error", errorObject(c.Err))
	}
	if c.RetryIn >= 0 {
		fields = append(fields, "retryInMs", float64(c.RetryIn)/float64(time.Millisecond))
	}
	effect("state", fields...)
}

func (host) Message(t *client.Topic, m *mqtt.Publish) { message(t, m, 0) }

func (host) Unclaimed(t *client.Topic, m *mqtt.Publish) { message(t, m, flagUnclaimed) }

func message(t *client.Topic, m *mqtt.Publish, flags uint32) {
	if t.Fresh {
		void := uint32(0)
		if t.First {
			void = 1
		}
		t.Fresh, t.First = false, false
		kept = append(kept, t)
		table = append(table, recordTopic, t.ID, void, textAddress(t.Name), uint32(len(t.Name)), uint32(len(t.Filters)))
		table = append(table, t.Filters...)
	}
	flags |= uint32(m.QoS)
	if m.Retain {
		flags |= flagRetain
	}
	if m.Duplicate {
		flags |= flagDuplicate
	}
	packet := address(m.Packet)
	if in := address(input); packet < in || packet >= in+uint32(cap(input)) {
		flags |= flagOwnMemory
		kept = append(kept, m.Packet)
	}
	table = append(table, recordMessage, t.ID, address(m.Payload), uint32(len(m.Payload)), 0, packet, uint32(len(m.Packet)), 0)
	head := len(table)
	count := uint32(0)
	for p, rest, ok := mqtt.NextProperty(m.Properties); ok; p, rest, ok = mqtt.NextProperty(rest) {
		switch p.ID {
		case mqtt.TopicAlias, mqtt.SubscriptionIdentifier:
		case mqtt.PayloadFormat:
			if p.Number == 1 {
				flags |= flagUTF8
			}
		case mqtt.MessageExpiry:
			table = append(table, uint32(p.ID), p.Number, 0, 0, 0)
			count++
		default:
			table = append(table, uint32(p.ID), address(p.Data), uint32(len(p.Data)), address(p.Value), uint32(len(p.Value)))
			count++
		}
	}
	table[head-4], table[head-1] = flags, count
}

func (host) Done(token mqtt.Token, err *client.Error) {
	if err != nil {
		effect("failed", "token", uint32(token), "error", errorObject(err))
		return
	}
	table = append(table, recordDone, uint32(token))
}

func (host) ConnectDone(token mqtt.Token, granted *mqtt.Connack) {
	effect("done", "token", uint32(token), "value", connection(granted))
}

func (host) PublishDone(token mqtt.Token, r mqtt.PublishResult) {
	table = append(table, recordPublished, uint32(token), uint32(r.Reason), textAddress(r.ReasonString), uint32(len(r.ReasonString)), uint32(len(r.User)))
	for _, p := range r.User {
		table = append(table, textAddress(p.Name), uint32(len(p.Name)), textAddress(p.Value), uint32(len(p.Value)))
	}
	if r.ReasonString != "" || len(r.User) > 0 {
		kept = append(kept, r)
	}
}

func (host) SubscribeDone(token mqtt.Token, filter uint32, qos byte) {
	effect("done", "token", uint32(token), "value", object("id", filter, "qos", int(qos)))
}

func (host) SubscriptionEnded(filter uint32, err *client.Error) {
	fields := []any{"id", filter}
	if err != nil {
		fields = append(fields, "error", errorObject(err))
	}
	effect("ended", fields...)
}

func connection(g *mqtt.Connack) js.Value {
	return object(
		"clientId", g.ClientID, "sessionPresent", g.SessionPresent, "keepAlive", int(g.KeepAlive),
		"sessionExpiry", float64(g.SessionExpiry), "receiveMaximum", int(g.ReceiveMaximum), "maximumQoS", int(g.MaximumQoS),
		"maximumPacketSize", float64(g.MaximumPacketSize), "topicAliasMaximum", int(g.TopicAliasMaximum),
		"retainAvailable", g.RetainAvailable, "wildcardSubscriptionAvailable", g.WildcardAvailable,
		"sharedSubscriptionAvailable", g.SharedAvailable, "subscriptionIdentifierAvailable", g.IdentifiersAvailable,
		"userProperties", pairs(g.User),
	)
}

func pairs(list []mqtt.UserPair) js.Value {
	a := js.Global().Get("Array").New(len(list))
	for i, p := range list {
		pair := js.Global().Get("Array").New(2)
		pair.SetIndex(0, p.Name)
		pair.SetIndex(1, p.Value)
		a.SetIndex(i, pair)
	}
	return a
}

func errorObject(e *client.Error) js.Value {
	o := object("class", int(e.Class), "code", e.Code, "phase", string(e.Phase), "retryable", e.Retryable, "message", e.Message)
	if e.Reason != 0 {
		o.Set("reasonCode", int(e.Reason))
	}
	if e.CloseCode != 0 {
		o.Set("closeCode", e.CloseCode)
	}
	return o
}
