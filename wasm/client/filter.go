package client

import (
	"strings"

	"iot.wasm/wasm/mqtt"
)

// filterState is the state of a topic filter. It records whether the broker has a
// subscription to the filter, and whether the client must send a SUBSCRIBE (due) or waits
// for its SUBACK (unanswered).
//
//	state      subscription at the broker  SUBSCRIBE
//	absent     no                          due
//	uncertain  perhaps                     due
//	asked      perhaps                     unanswered
//	outdated   yes                         due
//	renewing   yes                         unanswered
//	granted    yes                         answered
//
// These methods of filter and Client change the state:
//
//	method                         from                      to
//	Subscribe (new filter)         (none)                    absent, or uncertain if the session may have it
//	outdate                        asked                     uncertain
//	                               renewing, granted         outdated
//	sent                           absent, uncertain         asked
//	                               outdated                  renewing
//	answered (last SUBSCRIBE)      asked, renewing           granted
//	answered (earlier SUBSCRIBE)   uncertain                 outdated
//	                               asked                     renewing
//	lost                           asked                     uncertain
//	                               renewing                  outdated
//	refuse                         absent, uncertain, asked  (removed)
//	                               all others                granted, with the previous QoS
//	reconnected (no session)       all                       absent
//	reconnected (unknown session)  all                       uncertain
//
// The client calls refuse if the SUBACK has a failure, if the broker has not answered
// [mqtt.MaxExpiries] SUBSCRIBEs, and if a quota or the CONNACK does not allow the filter.
// An unknown session is one that may differ from the previous session.
type filterState byte

const (
	absent filterState = iota
	uncertain
	asked
	outdated
	renewing
	granted
)

// due reports whether the client must send a SUBSCRIBE.
func (s filterState) due() bool { return s == absent || s == uncertain || s == outdated }

// atBroker reports whether the broker has the subscription for certain.
func (s filterState) atBroker() bool { return s == outdated || s == renewing || s == granted }

// Values of Retain Handling (section 3.8.3.1).
const (
	retainAll  byte = iota // the broker sends retained messages after each SUBSCRIBE
	retainNew              // the broker sends them only for a new subscription
	retainNone             // the broker sends none
)

// A filter is a topic filter to which the page has subscribed, one or more times.
type filter struct {
	options mqtt.Subscription // of the first subscription, with the highest QoS of all
	user    []mqtt.UserPair   // of the first subscription
	members []*subscription   // all subscriptions to the filter, in the order of the calls
	state   filterState
	qos     byte       // the granted QoS, if the broker has the subscription
	batch   mqtt.Token // of the last SUBSCRIBE
	// retain is the Retain Handling of the next SUBSCRIBE. When the broker grants a
	// SUBSCRIBE, it becomes retainNone, because the members need no further retained
	// messages.
	retain byte
	// received is true if a new member may have missed retained messages that the last
	// SUBSCRIBE requested: after the client has received a message that matches the
	// filter, and after a new connection.
	received bool
	expiries int // the number of SUBSCRIBEs that the broker has not answered in time
}

// A subscription is one subscription of the page.
type subscription struct {
	id             uint32
	filter         *filter
	token          mqtt.Token // of its subscribe(); 0: the promise has settled
	retainHandling byte
	history
}

// contradicts returns an error if a subscription with the options o cannot share a
// SUBSCRIBE with the members of f.
func (f *filter) contradicts(o *mqtt.Subscription) *Error {
	if o.NoLocal == f.options.NoLocal && o.RetainAsPublished == f.options.RetainAsPublished {
		return nil
	}
	return badType("ERR_OPTION", "another subscription to %q has noLocal: %t and retainAsPublished: %t, and the broker keeps one setting per topic filter",
		o.Filter, f.options.NoLocal, f.options.RetainAsPublished)
}

// join changes f for another subscription with the options o. It makes a SUBSCRIBE due
// if the subscription needs a higher QoS, or retained messages that the broker will not
// send otherwise.
func (f *filter) join(o *mqtt.Subscription) {
	need := false
	switch {
	case o.RetainHandling == retainNone || strings.HasPrefix(o.Filter, "$share/"):
		// A shared subscription gets no retained messages (section 4.8.2).
	case f.state == absent || f.state == uncertain:
		f.retain = min(f.retain, o.RetainHandling)
	case f.retain == retainAll:
		// The SUBSCRIBE that is due or unanswered requests the retained messages.
	case f.state != asked && f.options.RetainHandling != retainNone && !f.received:
		// The broker has no retained messages, or the client will still receive them.
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

// outdate makes another SUBSCRIBE due.
func (f *filter) outdate() {
	switch f.state {
	case asked:
		f.state = uncertain
	case renewing, granted:
		f.state = outdated
	}
}

// sent records that the client has sent the SUBSCRIBE of the batch.
func (f *filter) sent(batch mqtt.Token) {
	f.batch = batch
	if f.state == outdated {
		f.state = renewing
	} else {
		f.state = asked
	}
}

// answered records that the broker has granted the SUBSCRIBE of the batch with qos. It
// reports whether this was the last SUBSCRIBE, so that f is granted.
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

// lost records that the broker will not answer the SUBSCRIBE of the batch. It reports
// whether a SUBSCRIBE is due again for this reason.
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

// reconnected resets the state after a CONNACK that has not certainly resumed the
// previous session. present is its Session Present.
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
