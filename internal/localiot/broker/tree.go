package broker

import "strings"

// tree finds the subscriptions whose filters match a topic. The zero tree is empty. It is not safe for
// concurrent use.
type tree struct {
	children      map[string]*tree // by level
	subscriptions map[*session]*subscription
	groups        map[string]*group // shared subscriptions, by their whole filter
}

// subscription is the subscription of a session to one filter.
type subscription struct {
	session           *session
	filter            string // with $share and the group, if it is shared
	qos               byte
	noLocal           bool
	retainAsPublished bool
	group             *group // nil if it is not shared
}

// node returns the node of a filter, which it adds if necessary.
func (t *tree) node(filter string) *tree {
	for level := range strings.SplitSeq(filter, "/") {
		next := t.children[level]
		if next == nil {
			next = new(tree)
			if t.children == nil {
				t.children = make(map[string]*tree)
			}
			t.children[level] = next
		}
		t = next
	}
	return t
}

// update calls change with the node of a filter, and then removes nodes that have become empty.
func (t *tree) update(filter string, change func(*tree)) {
	level, rest, more := strings.Cut(filter, "/")
	child := t.children[level]
	if child == nil {
		return
	}
	if more {
		child.update(rest, change)
	} else {
		change(child)
	}
	if len(child.children)+len(child.subscriptions)+len(child.groups) == 0 {
		delete(t.children, level)
	}
}

// addSubscription adds a subscription that is not shared.
func (t *tree) addSubscription(s *subscription) {
	n := t.node(s.filter)
	if n.subscriptions == nil {
		n.subscriptions = make(map[*session]*subscription)
	}
	n.subscriptions[s.session] = s
}

// removeSubscription removes a subscription that is not shared.
func (t *tree) removeSubscription(s *subscription) {
	t.update(s.filter, func(n *tree) { delete(n.subscriptions, s.session) })
}

// addGroup adds a shared subscription.
func (t *tree) addGroup(g *group) {
	n := t.node(withoutShareGroup(g.filter))
	if n.groups == nil {
		n.groups = make(map[string]*group)
	}
	n.groups[g.filter] = g
}

// removeGroup removes a shared subscription.
func (t *tree) removeGroup(g *group) {
	t.update(withoutShareGroup(g.filter), func(n *tree) { delete(n.groups, g.filter) })
}

// match calls visit for each node whose filter matches a topic. A wildcard does not match a first level
// that begins with $ [MQTT-4.7.2-1]. As with AWS IoT, a/# does not match a.
func (t *tree) match(topic string, visit func(*tree)) {
	t.matchLevels(topic, !strings.HasPrefix(topic, "$"), visit)
}

func (t *tree) matchLevels(topic string, wildcards bool, visit func(*tree)) {
	level, rest, more := strings.Cut(topic, "/")
	follow := func(child *tree) {
		switch {
		case child == nil:
		case more:
			child.matchLevels(rest, true, visit)
		default:
			visit(child)
		}
	}
	follow(t.children[level])
	if wildcards {
		follow(t.children["+"])
		if all := t.children["#"]; all != nil {
			visit(all)
		}
	}
}

// validFilter reports whether a topic filter is valid, with or without $share.
func validFilter(filter string) bool {
	if rest, ok := strings.CutPrefix(filter, "$share/"); ok {
		name, rest, ok := strings.Cut(rest, "/")
		if !ok || name == "" || strings.ContainsAny(name, "+#") {
			return false // [MQTT-4.8.2-1], [MQTT-4.8.2-2]
		}
		filter = rest
	}
	if filter == "" || filter == "$share" {
		return false
	}
	for {
		level, rest, more := strings.Cut(filter, "/")
		if level != "+" && level != "#" && strings.ContainsAny(level, "+#") || level == "#" && more {
			return false
		}
		if !more {
			return true
		}
		filter = rest
	}
}

// isShared reports whether a filter is that of a shared subscription.
func isShared(filter string) bool { return strings.HasPrefix(filter, "$share/") }

// hasWildcard reports whether a topic or a filter has a wildcard.
func hasWildcard(filter string) bool { return strings.ContainsAny(filter, "+#") }
