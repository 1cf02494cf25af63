package mqtt

import (
	"slices"
	"strings"
)

// A Router finds the topic filters that match a topic. The caller assigns a number
// to each filter. The zero Router is empty.
type Router struct {
	root    level
	version uint64
}

// A level is a node in the tree of topic levels.
type level struct {
	next  map[string]*level
	exact []uint32 // ids of the filters that end at this level
	multi []uint32 // ids of the filters that end with # below this level
}

// Version returns a number that changes with each Add and Remove. Results of Match
// are valid until the number changes.
func (r *Router) Version() uint64 { return r.version }

// Add adds filter with the number id. filter must be valid, and id must be unique.
func (r *Router) Add(filter string, id uint32) {
	r.version++
	r.root.edit(levels(filter), func(ids []uint32) []uint32 { return append(ids, id) })
}

// Remove removes the filter that was added with the same text and id.
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

// edit applies change to the list of ids at path. empty reports whether l has neither
// ids nor levels below it afterwards. The parent of an empty level removes it.
func (l *level) edit(path []string, change func([]uint32) []uint32) (empty bool) {
	switch {
	case len(path) == 0:
		l.exact = change(l.exact)
	case path[0] == "#":
		l.multi = change(l.multi)
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
	return len(l.next) == 0 && len(l.exact) == 0 && len(l.multi) == 0
}

// Match appends to ids the numbers of the filters that match topic, in ascending
// order, each once. Filters that begin with a wildcard do not match topics that
// begin with $ (section 4.7.2).
func (r *Router) Match(topic string, ids []uint32) []uint32 {
	n := len(ids)
	path := strings.Split(topic, "/")
	ids = r.root.match(path, ids, !strings.HasPrefix(topic, "$"))
	slices.Sort(ids[n:])
	return ids
}

// match appends the ids of the filters below l that match path. wildcards reports
// whether wildcards at this level match.
func (l *level) match(path []string, ids []uint32, wildcards bool) []uint32 {
	if wildcards {
		ids = append(ids, l.multi...)
	}
	if len(path) == 0 {
		return append(ids, l.exact...)
	}
	if child := l.next[path[0]]; child != nil {
		ids = child.match(path[1:], ids, true)
	}
	if child := l.next["+"]; child != nil && wildcards {
		ids = child.match(path[1:], ids, true)
	}
	return ids
}
