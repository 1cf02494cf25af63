package mqtt

import (
	"slices"
	"strings"
)

// A Router finds the topic filters that a topic matches. Filters go by a number
// that the caller gives them. The zero Router is empty.
type Router struct {
	root    level
	version uint64
}

type level struct {
	next map[string]*level
	here []uint32 // filters that end at this level
	rest []uint32 // filters that end with # below this level
}

// Version changes with every Add and Remove: what Match said is true as long as
// it stays the same.
func (r *Router) Version() uint64 { return r.version }

// Add enters filter, which must be valid, under id.
func (r *Router) Add(filter string, id uint32) {
	r.version++
	r.root.edit(levels(filter), func(ids []uint32) []uint32 { return append(ids, id) })
}

// Remove takes out what Add entered under the same filter and id.
func (r *Router) Remove(filter string, id uint32) {
	r.version++
	r.root.edit(levels(filter), func(ids []uint32) []uint32 {
		if i := slices.Index(ids, id); i >= 0 {
			return slices.Delete(ids, i, i+1)
		}
		return ids
	})
}

func levels(filter string) []string {
	_, filter, _ = cutShare(filter)
	return strings.Split(filter, "/")
}

// edit applies change to the list of ids at path, and reports whether the level
// has become empty, so that its parent may drop it.
func (l *level) edit(path []string, change func([]uint32) []uint32) (empty bool) {
	switch {
	case len(path) == 0:
		l.here = change(l.here)
	case path[0] == "#":
		l.rest = change(l.rest)
	default:
		child := l.next[path[0]]
		if child == nil {
			if l.next == nil {
				l.next = make(map[string]*level)
			}
			child = new(level)
			l.next[path[0]] = child
		}
		if child.edit(path[1:], change) {
			delete(l.next, path[0])
		}
	}
	return len(l.next) == 0 && len(l.here) == 0 && len(l.rest) == 0
}

// Match appends to ids those of the filters that topic matches, each once, in
// ascending order.
func (r *Router) Match(topic string, ids []uint32) []uint32 {
	n := len(ids)
	path := strings.Split(topic, "/")
	ids = r.root.match(path, ids, !strings.HasPrefix(topic, "$"))
	slices.Sort(ids[n:])
	return ids
}

func (l *level) match(path []string, ids []uint32, wild bool) []uint32 {
	if wild {
		ids = append(ids, l.rest...)
	}
	if len(path) == 0 {
		return append(ids, l.here...)
	}
	if child := l.next[path[0]]; child != nil {
		ids = child.match(path[1:], ids, true)
	}
	if child := l.next["+"]; child != nil && wild {
		ids = child.match(path[1:], ids, true)
	}
	return ids
}
