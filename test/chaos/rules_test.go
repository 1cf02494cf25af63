package chaos

import (
	"fmt"
	"strings"
)

// mostMemory is what the wasm may have, in bytes.
const mostMemory = 64 << 20

// check holds what has happened against the rules.
func (r *round) check() {
	o, told := r.observer, r.report.Told
	o.mu.Lock()
	defer o.mu.Unlock()
	r.book.mu.Lock()
	defer r.book.mu.Unlock()

	// (e) Every promise settles.
	for _, what := range r.report.Waiting {
		r.broken("a promise has not settled: %s", what)
	}
	// (f) Nothing crashes, and memory has a bound.
	for _, what := range r.report.Wrong {
		r.broken("the page has an error: %s", what)
	}
	for what, n := range told {
		if strings.Contains(what, "ERR_CRASHED") || strings.HasPrefix(what, "closed") || strings.HasPrefix(what, "handlererror") || strings.Contains(what, "ERR_PROTOCOL") {
			r.broken("the client says %q, %d times", what, n)
		}
	}
	if r.report.Memory > mostMemory {
		r.broken("the wasm has %d bytes, at most %d are allowed", r.report.Memory, mostMemory)
	}
	for _, what := range r.book.broken {
		r.broken("%s", what)
	}

	// (a) Resolved means delivered. (c) What is rejected is rejected for a reason.
	// A CONNECT without an answer may have made a session in place of a lost one.
	lost := r.deleted > 0 || told["connecting"] > told["connected"]
	for _, s := range r.report.Settled {
		name, code := s[0], s[1]
		switch qos := qosOf(name); {
		case code == "":
			if qos > 0 && o.times[name] == 0 {
				r.broken("%q was said to be delivered, and did not arrive", name)
			}
		case qos == 0 && (code == "ERR_OFFLINE_QOS0" || code == "ERR_CONNECTION_LOST"):
		case qos == 2 && strings.HasPrefix(code, "ERR_SESSION_LOST") && lost:
		case name == "subscribe" && code == "ERR_UNSUBSCRIBED": // as the page unsubscribed before the answer
		default:
			r.broken("%q was rejected with %s", name, code)
		}
	}
	// (c) Exactly once, (d) in order.
	for name, n := range o.times {
		if n > 1 && qosOf(name) != 1 {
			r.broken("%q arrived %d times", name, n)
		}
	}
	sent := newOrder()
	for _, name := range o.seen {
		if why := sent.add(name); why != "" {
			r.broken("at the observer, %s", why)
		}
	}

	// (b) Acknowledged means handled or reported, (c) exactly once, (d) in order.
	given := map[string]int{}
	for _, name := range r.report.Unclaimed {
		given[name]++
	}
	came := newOrder()
	for _, h := range r.report.Heard {
		name, again := h[0].(string), h[1].(bool)
		given[name]++
		if why := came.add(name); why != "" && !again {
			r.broken("in the page, %s", why)
		}
	}
	for name, n := range given {
		if qos := qosOf(name); n > 1 && qos != 1 {
			r.broken("the page got %q %d times", name, n)
		}
	}
	for name := range r.book.acknowledged {
		if given[name] == 0 {
			r.broken("the page acknowledged %q, and no handler and no event got it", name)
		}
	}
	// A session that was never deleted has lost nothing.
	for name := range o.taken {
		if given[name] == 0 && (r.deleted == 0 || r.calmed[name]) && strings.Contains(name, "down/") {
			r.broken("the broker took over %q, and the page did not get it", name)
		}
	}
}

// order is what has come of each stream: of each topic and QoS.
type order struct {
	last map[string]int
	had  map[string]bool
}

func newOrder() order { return order{map[string]int{}, map[string]bool{}} }

// add says what is wrong with a message that comes now. One that has come before is
// a retransmission, and may come at any time.
func (o order) add(name string) string {
	if o.had[name] {
		return ""
	}
	o.had[name] = true
	i := strings.LastIndexByte(name, ' ')
	var n int
	if _, err := fmt.Sscan(name[i+1:], &n); err != nil {
		return fmt.Sprintf("%q came, which nobody has sent", name)
	}
	stream := name[:i+1]
	if last := o.last[stream]; n <= last {
		return fmt.Sprintf("%q came after number %d", name, last)
	}
	o.last[stream] = n
	return ""
}

// qosOf is the QoS in a message's name: "topic qos number". It is -1 for other names.
func qosOf(name string) int {
	fields := strings.Fields(name)
	if len(fields) != 3 {
		return -1
	}
	return int(fields[1][0] - '0')
}
