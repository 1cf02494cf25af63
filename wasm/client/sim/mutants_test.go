package sim

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/internal/mutant"
)

// mutants are deliberate bugs. Each replaces a text of a source file below wasm/.
var mutants = []struct{ name, file, old, new string }{
	{"a lost PUBACK", "mqtt/acknowledge.go", "e.queueAck(typePuback, id, Success)", ""},
	{"a packet identifier used twice", "mqtt/session.go", "if s.lastPacketID != 0 && !message && !request && !s.abandonedIDs[s.lastPacketID] {", "if s.lastPacketID %= 50; s.lastPacketID != 0 && !request {\n\t\t\t_ = message"},
	{"Receive Maximum exceeded", "mqtt/send.go", "if e.quotaUsed >= int(e.granted.ReceiveMaximum) ||", "if e.quotaUsed > int(e.granted.ReceiveMaximum) ||"},
	{"retransmission without DUP", "mqtt/send.go", "p.qos, p.retain, true, p.id)", "p.qos, p.retain, false, p.id)"},
	{"retransmission in the wrong order", "mqtt/session.go", "slices.Sort(keys)\n", "slices.Sort(keys)\n\tslices.Reverse(keys)\n"},
	{"a session resumed without its unacknowledged messages", "mqtt/inbound.go", "e.resume()\n", "e.resends = nil\n"},
	{"a QoS 2 message sent again in a new session", "mqtt/session.go", "if p.qos == 1 {\n\t\t\tp.id", "if p.qos >= 1 {\n\t\t\tp.id"},
	{"a QoS 2 message delivered twice", "mqtt/inbound.go", "case !duplicate:", "case true:"},
	{"a missing PUBREL", "mqtt/send.go", "e.queueAck(typePubrel, p.id, Success)", ""},
	{"an alias kept for the next connection", "mqtt/alias.go", "clear(a.byTopic)\n\ta.entries = a.entries[:0]\n", ""},
	{"a QoS 1 message resolved when it is sent", "mqtt/send.go", "e.inflight[id] = p\n", "e.inflight[id] = p\n\t\te.handler.Published(p.token, PublishResult{})\n"},
	{"a missing resubscribe", "client/subscribe.go", "f.reconnected(ack.SessionPresent)", ""},
	{"an uncertain session treated as the previous one", "mqtt/inbound.go", "ack.SessionPresent && !e.sessionUncertain", "ack.SessionPresent"},
	{"nine filters in a packet", "client/options.go", "filtersPerPacket = 8", "filtersPerPacket = 9"},
	{"an UNSUBSCRIBE lost with the connection", "client/subscribe.go", "if c.filters[r.filter] == nil {", "if false {"},
	{"a signature with an old date", "client/attempt.go", "*r.Credentials, wall, 0)", "*r.Credentials, wall.Add(-time.Minute), 0)"},
	{"a back-off without a minimum", "client/backoff.go", "c.options.MinDelay + time.Duration(", "time.Duration("},
	{"a late answer accepted for a new attempt", "client/attempt.go", "if c.stage != providing || attempt != c.attempt {", "if false {"},
	{"a queue without a bound", "client/publish.go", "messages+1 > c.options.OfflineMessages", "messages > 1<<20"},
	{"a promise not settled", "client/close.go", "c.connectWaiters = nil\n\tfor _, token := range waiters {", "c.connectWaiters = nil\n\tfor _, token := range waiters[:len(waiters)/2] {"},
	{"a socket left open", "client/close.go", "c.host.Close(c.attempt, last)", ""},
	{"a message acknowledged before it has a recipient", "client/unclaimed.go", "\treturn false\n}\n\n// holds", "\treturn true\n}\n\n// holds"},
	{"a held message not delivered", "client/unclaimed.go", "		c.deliver(t, &h.Publish)\n", ""},
	{"an unclaimed message not reported", "client/unclaimed.go", "		t.unclaimed = true\n\t\tc.host.Unclaimed(t, &h.Publish)\n", "		t.unclaimed = true\n"},
	{"held messages delivered in the wrong order", "client/unclaimed.go", "c.held.list = append(c.held.list, held)", "c.held.list = append([]heldMessage{held}, c.held.list...)"},
	{"a held QoS 2 message delivered again after a reconnect", "mqtt/acknowledge.go", "e.receivedQoS2[a.list[i].id] = e.generation", ""},
	{"PUBACKs in the wrong order", "mqtt/acknowledge.go", "n < len(a.list) && a.list[n].ready", "n < len(a.list) && (a.list[n].ready || n > 0)"},
	{"an unanswered SUBSCRIBE never repeated", "client/filter.go", "\tcase asked:\n\t\tf.state = uncertain\n\tcase renewing:\n\t\tf.state = outdated\n\tdefault:", "\tcase renewing:\n\t\tf.state = outdated\n\tdefault:"},
	{"no acknowledgement timeout", "mqtt/timeout.go", "if now < t.nextCheck {", "if true {"},
	{"a PUBREL that overtakes its PUBLISH", "mqtt/send.go", "if p.bulkEnd > e.bulkSent || e.pubrelEnd > e.bulkSent {", "if false {"},
	{"a repeated PUBREC ignored", "mqtt/inbound.go", "if t == typePubrec && !a.reason.Failed() && p != nil &&", "if false && p != nil &&"},
	{"a QoS 2 message abandoned without PUBREL", "mqtt/inbound.go", "\t\te.releaseAbandoned()\n", ""},
	{"an acknowledgement inside another packet", "mqtt/output.go", "append(append(append(o.merged[:0], o.bulk[:o.unfinished]...), o.priority...), o.bulk[o.unfinished:]...)", "append(append(o.merged[:0], o.priority...), o.bulk...)"},
	{"a live message not delivered to a further subscription", "client/subscriptions.go", "c.router.Add(o.Filter, s.id)", "if len(f.members) == 1 {\n\t\tc.router.Add(o.Filter, s.id)\n\t}"},
	{"a retained message delivered twice", "client/recipients.go", "s.seen[t.Name] = struct{}{}", ""},
	{"a retained message delivered after a newer live one", "client/recipients.go", "t.live = c.live", ""},
	{"a retained message never requested for a later subscription", "client/filter.go", "f.retain, need = retainAll, true", ""},
	{"a retained message not delivered to a later subscription", "client/recipients.go", "if t.live > s.since && s.order", "if t.live > 0 && s.order"},
	{"a retained message for a subscription that requests none", "client/recipients.go", "case s.retainHandling == retainNone:", "case false:"},
	{"a history kept after the session", "client/events.go", "c.resetHistory(c.byID[id])", "_ = id"},
	{"a sent packet not reported", "client/client.go", "		c.trace(&c.sent, true, c.engine.Output()[:n])\n", ""},
	{"a received packet reported with the bytes of another connection", "client/attempt.go", "c.sent, c.received = wire{}, wire{}", ""},
	{"a held message without the end of its payload", "client/unclaimed.go", "return len(t.Recipients) == 0 && !c.listening && c.holds(t, m)", "return t == nil"},
	{"bytes skipped that have not arrived", "mqtt/receive.go", "missing <= rest && ", ""},
	{"a half-open connection never detected", "mqtt/keepalive.go", "e.fail(&connectionFault{KeepAliveTimeout,", "_ = (&connectionFault{KeepAliveTimeout,"},
}

// TestMutants checks that the simulation finds bugs: each deliberate bug must break a rule
// in one of 400 simulations.
func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			config, err := mutant.Overlay(t.TempDir(), filepath.Join("../..", m.file), m.old, m.new)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "test", "-vet=off", "-overlay", config, "-timeout", "2m", "-run", "^TestSim$", ".", "-seeds", "400")
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Error("no rule is broken in 400 simulations")
			case !strings.Contains(string(out), "BROKEN"):
				t.Errorf("the simulation fails without a broken rule: %.2000s", out)
			}
		})
	}
}
