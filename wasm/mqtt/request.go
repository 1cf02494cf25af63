package mqtt

import (
	"slices"
	"time"
)

// pendingRequest is a SUBSCRIBE or UNSUBSCRIBE that the server has not answered.
type pendingRequest struct {
	token       Token
	ackType     packetType // typeSuback or typeUnsuback
	filterCount int
	due         time.Duration // when the answer is due
	expired     bool          // the answer was not received in time
}

// Subscribe sends a SUBSCRIBE. The filters must be valid. The engine reports the
// result by [Handler.Subscribed], unless Subscribe returns an error: there is no
// connection, all packet identifiers are in use, or the packet is too large
// (ErrTooLarge).
func (e *Engine) Subscribe(now time.Duration, token Token, subs []Subscription, user []UserPair) error {
	return e.sendRequest(now, pendingRequest{token: token, ackType: typeSuback, filterCount: len(subs)}, func(b []byte, id uint16) []byte {
		return appendSubscribe(b, id, subs, user)
	})
}

// Unsubscribe sends an UNSUBSCRIBE. The engine reports the result by
// [Handler.Unsubscribed]. The errors are those of Subscribe.
func (e *Engine) Unsubscribe(now time.Duration, token Token, filters []string) error {
	return e.sendRequest(now, pendingRequest{token: token, ackType: typeUnsuback, filterCount: len(filters)}, func(b []byte, id uint16) []byte {
		return appendUnsubscribe(b, id, filters)
	})
}

func (e *Engine) sendRequest(now time.Duration, r pendingRequest, encode func([]byte, uint16) []byte) error {
	if e.state != connected {
		return errOffline
	}
	lastID := e.lastPacketID
	id, ok := e.newPacketID()
	if !ok {
		return errNoPacketID
	}
	before := len(e.bulk)
	e.bulk = encode(e.bulk, id)
	if uint64(len(e.bulk)-before) > uint64(e.granted.MaximumPacketSize) {
		e.bulk, e.lastPacketID = e.bulk[:before], lastID
		return ErrTooLarge
	}
	r.due = e.dueAt(now)
	e.requests[id] = r
	e.roundTrip.measure(id)
	return nil
}

// failRequests reports err as the result of all pending requests, and ErrAckTimeout as
// the result of expired requests. Requests do not continue on the next connection.
func (e *Engine) failRequests(err error) {
	for _, id := range sortedIDs(e.requests) {
		r := e.requests[uint16(id)]
		delete(e.requests, uint16(id))
		result := err
		if r.expired {
			result = ErrAckTimeout
		}
		if r.ackType == typeSuback {
			e.handler.Subscribed(r.token, nil, "", result)
		} else {
			e.handler.Unsubscribed(r.token, nil, "", result)
		}
	}
}

// sortedIDs returns the keys of m in ascending order, so that each run sends the same
// packets. The keys are uint32 to share the code of slices.Sort with Router, which
// makes the wasm smaller.
func sortedIDs[V any](m map[uint16]V) []uint32 {
	ids := make([]uint32, 0, len(m))
	for id := range m {
		ids = append(ids, uint32(id))
	}
	slices.Sort(ids)
	return ids
}
