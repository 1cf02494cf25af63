package client

import (
	"strings"

	"iot.wasm/wasm/mqtt"
)

// filterState says whether the broker has the subscription of a topic filter, and
// whether a SUBSCRIBE for it is due or unanswered.
//
//	state      the broker has it  SUBSCRIBE
//	absent     no                 due
//	uncertain  perhaps            due
//	asked      perhaps            unanswered
//	outdated   yes                due
//	renewing   yes                unanswered
//	granted    yes                answered
//
// These are the transitions. An answer is that of the last SUBSCRIBE unless stated
// otherwise.
//
//	event                            from                 to
//	first subscribe()                (none)               absent; uncertain if the session may have it
//	a higher QoS, or retained        asked                uncertain
//	messages, are needed             renewing, granted    outdated
//	SUBSCRIBE is sent                absent, uncertain    asked
//	                                 outdated             renewing
//	answer: granted                  asked, renewing      granted
//	answer: refused                  asked                (removed)
//	                                 renewing             granted, with the QoS of before
//	earlier SUBSCRIBE: granted       uncertain            outdated
//	                                 asked                renewing
//	answer lost, or late             asked                uncertain
//	                                 renewing             outdated
//	CONNACK: no session              any                  absent
//	CONNACK: perhaps another session any                  uncertain
type filterState byte

const (
	absent filterState = iota
	uncertain
	asked
	outdated
	renewing
	granted
)

// due reports whether a SUBSCRIBE is to be sent.
func (s filterState) due() bool { return s == absent || s == uncertain || s == outdated }

// held reports whether the broker certainly has the subscription.
func (s filterState) held() bool { return s == outdated || s == renewing || s == granted }

// retainNone is the Retain Handling that requests no retained messages, retainNew
// the one that requests them if the subscription is new to the broker, and
// retainAll the one that requests them always (section 3.8.3.1).
const (
	retainAll byte = iota
	retainNew
	retainNone
)

// A filter is one topic filter, with the subscriptions of the page that share it.
type filter struct {
	options mqtt.Subscription
	user    []mqtt.UserPair // of the first subscription
	members []*subscription // in the order of the page's calls
	state   filterState
	qos     byte       // granted, where the broker has the subscription
	batch   mqtt.Token // the last SUBSCRIBE
	// retain is the Retain Handling of the next SUBSCRIBE. It becomes retainNone when
	// a SUBSCRIBE is granted, as the members need no more retained messages.
	retain byte
	// received is true after a message arrived for the filter, or the connection was
	// lost: requested retained messages are no longer on their way.
	received bool
	expiries int // how often the broker has not answered the SUBSCRIBE in time
}

// A subscription is one subscription of the page.
type subscription struct {
	id             uint32
	filter         *filter
	token          mqtt.Token // of its subscribe(); 0: the promise has settled
	retainHandling byte
	history
}

// contradicts returns an error where the options o cannot share a SUBSCRIBE with f.
func (f *filter) contradicts(o *mqtt.Subscription) *Error {
	if o.NoLocal == f.options.NoLocal && o.RetainAsPublished == f.options.RetainAsPublished {
		return nil
	}
	return badType("ERR_OPTION", "another subscription to %q has noLocal: %t and retainAsPublished: %t, and the broker knows one setting for a topic filter",
		o.Filter, f.options.NoLocal, f.options.RetainAsPublished)
}

// join changes f for a further subscription with the options o.
func (f *filter) join(o *mqtt.Subscription) {
	need := false
	switch {
	case o.RetainHandling == retainNone || strings.HasPrefix(o.Filter, "$share/"):
		// A shared subscription gets no retained messages (section 4.8.2).
	case f.state == absent || f.state == uncertain:
		f.retain = min(f.retain, o.RetainHandling)
	case f.retain == retainAll:
		// The SUBSCRIBE that is due or unanswered requests them for all members.
	case f.state != asked && f.options.RetainHandling != retainNone && !f.received:
		// There are none, or they are on their way.
	default:
		f.retain, need = retainAll, true
	}
	if o.QoS > f.options.QoS {
		f.options.QoS, need = o.QoS, true
		f.retain = min(f.retain, o.RetainHandling)
	}
	if need {
		f.outdate()
	}
}

// outdate makes a further SUBSCRIBE due.
func (f *filter) outdate() {
	switch f.state {
	case asked:
		f.state = uncertain
	case renewing, granted:
		f.state = outdated
	}
}

// sent notes that a SUBSCRIBE has been sent.
func (f *filter) sent(batch mqtt.Token) {
	f.batch = batch
	if f.state == outdated {
		f.state = renewing
	} else {
		f.state = asked
	}
}

// answered notes that the broker has granted the SUBSCRIBE of the batch. It reports
// whether this completes the subscription.
func (f *filter) answered(batch mqtt.Token, qos byte) (complete bool) {
	switch {
	case f.state == asked && f.batch == batch, f.state == renewing && f.batch == batch:
		f.state, f.qos, f.retain, f.expiries = granted, qos, retainNone, 0
		return true
	case f.state == uncertain:
		f.state, f.qos = outdated, qos
	case f.state == asked:
		f.state, f.qos = renewing, qos
	case f.state != granted:
		f.qos = qos
	}
	return false
}

// lost notes that the SUBSCRIBE of the batch will not be answered. It reports
// whether the SUBSCRIBE was the last one, so that it is due again.
func (f *filter) lost(batch mqtt.Token) (again bool) {
	if f.batch != batch {
		return false
	}
	switch f.state {
	case asked:
		f.state = uncertain
	case renewing:
		f.state = outdated
	default:
		return false
	}
	return true
}

// reconnected follows a CONNACK that did not resume the session of before for sure.
// present says that the broker has a session.
func (f *filter) reconnected(present bool) {
	lowest := retainNone
	for _, s := range f.members {
		lowest = min(lowest, s.retainHandling)
	}
	if present {
		f.state, f.retain = uncertain, min(f.retain, max(lowest, retainNew))
	} else {
		f.state, f.retain = absent, lowest
	}
}
