package chaos

import (
	"fmt"
	"strings"
)

// mostMemory is the most memory that the wasm may use, in bytes.
const mostMemory = 64 << 20

// check checks the results of the round.
//
//   - (a) If publish() resolves for QoS 1 or 2, the message has arrived. A promise
//     rejects only with a code that the disturbances can cause.
//   - (b) Each message that the page has acknowledged was delivered to a handler or to the
//     event unclaimed.
//   - (c) Messages of QoS 0 and 2 arrive at most once. If no session was deleted, all
//     messages of QoS 1 and 2 to the page arrive.
//   - (d) Messages of one topic and QoS arrive in the order in which they were published.
//   - (e) Every promise settles.
//   - (f) The page has no uncaught error. The client does not crash or close, and causes no
//     protocol error. The wasm's memory is bounded.
func (r *round) check() {
	o, events := r.observer, r.report.Events
	o.mu.Lock()
	defer o.mu.Unlock()
	r.traffic.mu.Lock()
	defer r.traffic.mu.Unlock()

	// (e)
	for _, name := range r.report.Pending {
		r.broken("a promise has not settled: %s", name)
	}
	// (f)
	for _, text := range r.report.Uncaught {
		r.broken("the page has an uncaught error: %s", text)
	}
	for event, n := range events {
		if strings.Contains(event, "ERR_CRASHED") || strings.HasPrefix(event, "closed") || strings.HasPrefix(event, "handlererror") || strings.Contains(event, "ERR_PROTOCOL") {
			r.broken("the client has dispatched %q %d times", event, n)
		}
	}
	if r.report.Memory > mostMemory {
		r.broken("the wasm uses %d bytes, at most %d are allowed", r.report.Memory, mostMemory)
	}
	for _, text := range r.traffic.broken {
		r.broken("%s", text)
	}

	// (a)
	// An unanswered CONNECT may have created a new session, so the client must assume that
	// the previous session is lost.
	lost := r.deleted > 0 || events["connecting"] > events["connected"]
	for _, s := range r.report.Settled {
		name, code := s[0], s[1]
		switch qos := qosOf(name); {
		case code == "":
			if qos > 0 && o.times[name] == 0 {
				r.broken("publish() of %q resolved, but the message did not arrive", name)
			}
		case qos == 0 && (code == "ERR_OFFLINE_QOS0" || code == "ERR_CONNECTION_LOST"):
		case qos == 2 && strings.HasPrefix(code, "ERR_SESSION_LOST") && lost:
		case name == "subscribe" && code == "ERR_UNSUBSCRIBED": // the page unsubscribed before SUBACK
		default:
			r.broken("%q was rejected with %s", name, code)
		}
	}
	// (c), (d)
	for name, n := range o.times {
		if n > 1 && qosOf(name) != 1 {
			r.broken("%q arrived %d times", name, n)
		}
	}
	sent := newOrder()
	for _, name := range o.received {
		if problem := sent.add(name); problem != "" {
			r.broken("at the observer, %s", problem)
		}
	}

	// (b), (c), (d)
	received := map[string]int{}
	for _, name := range r.report.Unclaimed {
		received[name]++
	}
	arrived := newOrder()
	for _, m := range r.report.Received {
		name, duplicate := m[0].(string), m[1].(bool)
		received[name]++
		if problem := arrived.add(name); problem != "" && !duplicate {
			r.broken("in the page, %s", problem)
		}
	}
	for name, n := range received {
		if qos := qosOf(name); n > 1 && qos != 1 {
			r.broken("the page received %q %d times", name, n)
		}
	}
	for name := range r.traffic.acknowledged {
		if received[name] == 0 {
			r.broken("the page acknowledged %q without receiving it", name)
		}
	}
	// (c)
	for name := range o.acknowledged {
		if received[name] == 0 && (r.deleted == 0 || r.last[name]) && strings.Contains(name, "down/") {
			r.broken("the broker acknowledged %q, but the page did not receive it", name)
		}
	}
}

// order checks the order of the messages of each stream, which is a topic and a QoS.
type order struct {
	last map[string]int  // by stream
	seen map[string]bool // messages that have arrived
}

func newOrder() order { return order{map[string]int{}, map[string]bool{}} }

// add records the arrival of a message and describes a violation of the order. A message
// that has arrived before is a retransmission, which may arrive at any time.
func (o order) add(name string) (problem string) {
	if o.seen[name] {
		return ""
	}
	o.seen[name] = true
	i := strings.LastIndexByte(name, ' ')
	var n int
	if _, err := fmt.Sscan(name[i+1:], &n); err != nil {
		return fmt.Sprintf("a message %q has arrived, but no client has sent it", name)
	}
	stream := name[:i+1]
	if last := o.last[stream]; n <= last {
		return fmt.Sprintf("%q arrived after number %d", name, last)
	}
	o.last[stream] = n
	return ""
}

// qosOf returns the QoS of a message with the name "topic qos number", and -1 for other
// names.
func qosOf(name string) int {
	fields := strings.Fields(name)
	if len(fields) != 3 {
		return -1
	}
	return int(fields[1][0] - '0')
}
