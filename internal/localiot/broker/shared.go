package broker

import (
	"slices"

	"iot.wasm/internal/localiot/store"
)

// maxShareName is the maximum length of the name of a shared subscription, in bytes.
const maxShareName = 128

// group is a shared subscription: each message is sent to one of its members. Broker.mu guards it.
//
// The Broker sends a message to the members that are connected, in turn. If none is connected, the
// message waits in the group for the first member that connects.
type group struct {
	filter   string // with $share and the name
	members  []*subscription
	next     int         // the index of the member that is the next in turn
	waiting  []*delivery // QoS 1 and 2 messages for the first member that connects
	bytes    int         // the size of waiting
	dropping bool        // set from the first dropped message until waiting is empty
}

// addSubscription adds a subscription to the tree, and to its group if it is shared. The caller holds
// b.mu.
func (b *Broker) addSubscription(sub *subscription) {
	if !isShared(sub.filter) {
		b.filters.addSubscription(sub)
		return
	}
	g := b.groups[sub.filter]
	if g == nil {
		g = &group{filter: sub.filter}
		b.groups[sub.filter] = g
		b.filters.addGroup(g)
	}
	sub.group = g
	g.members = append(g.members, sub)
}

// removeSubscription reverses addSubscription. A group without members loses its messages. The caller
// holds b.mu.
func (b *Broker) removeSubscription(sub *subscription) (changes []store.Change) {
	g := sub.group
	if g == nil {
		b.filters.removeSubscription(sub)
		return nil
	}
	g.members = slices.DeleteFunc(g.members, func(m *subscription) bool { return m == sub })
	if len(g.members) == 0 {
		delete(b.groups, g.filter)
		b.filters.removeGroup(g)
		for _, d := range g.waiting {
			changes = append(changes, b.forget(d)...)
		}
		g.waiting, g.bytes = nil, 0
	}
	return changes
}

// choose returns the connected member that is the next in turn, or nil. It prefers a member that accepts
// a message at once.
func (g *group) choose() (chosen *subscription) {
	for i := range g.members {
		at := (g.next + i) % len(g.members)
		sub := g.members[at]
		s := sub.session
		if s.conn == nil {
			continue
		}
		if len(s.waiting) == 0 {
			g.next = at + 1
			return sub
		}
		if chosen == nil {
			chosen = sub
		}
	}
	return chosen
}

// deliverToGroup sends a message to a member of a group, or stores it. The caller holds b.mu.
func (b *Broker) deliverToGroup(g *group, m *message) []store.Change {
	if sub := g.choose(); sub != nil {
		return b.deliver(sub.session, &delivery{message: m, qos: min(m.qos, sub.qos), retain: m.retain && sub.retainAsPublished, group: g})
	}
	stores := slices.ContainsFunc(g.members, func(sub *subscription) bool { return sub.qos > 0 && sub.session.persistent() })
	if m.qos == 0 || !stores {
		return nil
	}
	if !b.fits(g.bytes, m) {
		if !g.dropping {
			g.dropping = true
			b.log.Warn("too many unacknowledged messages: dropping messages to the shared subscription", "filter", g.filter, "bytes", g.bytes)
		}
		return nil
	}
	d := &delivery{message: m, qos: m.qos, retain: m.retain, group: g}
	b.hold(d)
	g.bytes += m.size
	g.waiting = append(g.waiting, d)
	return b.deliveryChange(groupOwner, g.filter, d)
}

// moveGroup gives the messages that wait in the group of a subscription to its session, which is
// connected. The caller holds b.mu.
func (b *Broker) moveGroup(sub *subscription) (changes []store.Change) {
	g := sub.group
	if g == nil {
		return nil
	}
	waiting := g.waiting
	g.waiting, g.bytes, g.dropping = nil, 0, false
	for _, d := range waiting {
		moved := &delivery{message: d.message, qos: min(d.qos, sub.qos), retain: d.retain && sub.retainAsPublished, group: g}
		changes = append(changes, b.deliver(sub.session, moved)...)
		changes = append(changes, b.forget(d)...)
	}
	return changes
}

// returnShared returns the messages of shared subscriptions that the session has not sent to their
// groups, and if all is set, also those that the client has not acknowledged. The session must not be
// connected. The caller holds b.mu.
func (b *Broker) returnShared(s *session, all bool) (changes []store.Change) {
	var returned []*delivery
	isReturned := func(d *delivery) bool {
		if d.group == nil || d.released || len(d.group.members) == 0 {
			return false
		}
		returned = append(returned, d)
		return true
	}
	if all {
		s.inflight = slices.DeleteFunc(s.inflight, isReturned)
	}
	s.waiting = slices.DeleteFunc(s.waiting, isReturned)
	for _, d := range returned {
		changes = append(changes, b.deliverToGroup(d.group, d.message)...)
		changes = append(changes, b.remove(s, d)...)
	}
	return changes
}
