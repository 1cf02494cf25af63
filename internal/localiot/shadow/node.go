package shadow

import (
	"encoding/json"
	"maps"
	"strconv"
)

// A node is a JSON value in which each leaf has the time of its last update. The state and the metadata
// of a shadow are two views of one node, so they always have the same shape.
//
// A node does not change: merge returns a new node, which shares the unchanged parts with the old one.
type node interface {
	// state returns the JSON value.
	state() any

	// metadata returns the JSON value with {"timestamp": seconds} in place of each leaf. The elements
	// of an array have a time each, as in "Simulating Device Shadow service communications"
	// (using-device-shadows.html).
	metadata() any
}

type (
	// A leaf is null, a boolean, a json.Number or a string. Null stands for the removal of a member. It
	// occurs only in requests.
	leaf struct {
		value   any
		seconds int64 // since 1970
	}

	// An object is a JSON object.
	object map[string]node

	// A list is a JSON array. An update replaces it as a whole.
	list []node
)

// stamp returns a decoded JSON value as a node whose leaves all have the same time.
func stamp(value any, seconds int64) node {
	switch value := value.(type) {
	case map[string]any:
		o := make(object, len(value))
		for key, v := range value {
			o[key] = stamp(v, seconds)
		}
		return o
	case []any:
		l := make(list, len(value))
		for i, v := range value {
			l[i] = stamp(v, seconds)
		}
		return l
	}
	return leaf{value, seconds}
}

func (l leaf) state() any { return l.value }

func (l leaf) metadata() any { return map[string]int64{"timestamp": l.seconds} }

// isNull reports whether n is null.
func isNull(n node) bool {
	l, ok := n.(leaf)
	return ok && l.value == nil
}

func (o object) state() any { return o.view(node.state) }

func (o object) metadata() any { return o.view(node.metadata) }

func (o object) view(of func(node) any) any {
	view := make(map[string]any, len(o))
	for key, n := range o {
		view[key] = of(n)
	}
	return view
}

func (l list) state() any { return l.view(node.state) }

func (l list) metadata() any { return l.view(node.metadata) }

func (l list) view(of func(node) any) any {
	view := make([]any, len(l))
	for i, n := range l {
		view[i] = of(n)
	}
	return view
}

// merge returns old after an update with patch: objects are merged by key, other values are replaced,
// and null removes a key (device-shadow-data-flow.html#deleting-shadow-property).
//
// The documentation does not describe two cases. An object in patch that contains only nulls adds no
// empty object. Removing the last member of an object that exists leaves an empty object.
func merge(old, patch object) object {
	merged := make(object, len(old)+len(patch))
	maps.Copy(merged, old)
	for key, p := range patch {
		members, isObject := p.(object)
		if !isObject {
			merged[key] = p
			if isNull(p) {
				delete(merged, key)
			}
			continue
		}
		existing, exists := merged[key].(object)
		m := merge(existing, members)
		merged[key] = m
		if !exists && len(m) == 0 && len(members) > 0 {
			delete(merged, key)
		}
	}
	return merged
}

// difference returns the delta: the members of desired that reported does not have, or has with another
// value (device-shadow-document.html#delta-state). Its leaves have the times of desired.
func difference(desired, reported object) object {
	delta := object{}
	for key, d := range desired {
		r, ok := reported[key]
		if !ok {
			delta[key] = d
			continue
		}
		dObject, ok1 := d.(object)
		rObject, ok2 := r.(object)
		if ok1 && ok2 {
			if members := difference(dObject, rObject); len(members) > 0 {
				delta[key] = members
			}
		} else if !equal(d, r) {
			delta[key] = d
		}
	}
	return delta
}

// equal reports whether two nodes have the same state.
func equal(a, b node) bool {
	switch a := a.(type) {
	case object:
		b, ok := b.(object)
		return ok && maps.EqualFunc(a, b, equal)
	case list:
		b, ok := b.(list)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case leaf:
		b, ok := b.(leaf)
		return ok && (a.value == b.value || equalNumbers(a.value, b.value))
	}
	return false
}

// equalNumbers reports whether two values are equal numbers. The documentation does not state whether 1
// and 1.0 differ. Here they do not, because JSON has one kind of number.
func equalNumbers(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	if !ok1 || !ok2 {
		return false
	}
	// Integers are compared exactly, because float64 cannot represent all of them.
	i, err1 := strconv.ParseInt(string(x), 10, 64)
	j, err2 := strconv.ParseInt(string(y), 10, 64)
	if err1 == nil && err2 == nil {
		return i == j
	}
	f, err1 := x.Float64()
	g, err2 := y.Float64()
	return err1 == nil && err2 == nil && f == g
}

// levels returns how deeply objects and arrays are nested in a decoded JSON value. Scalars and empty
// containers have no level of their own.
func levels(value any) int {
	deepest := -1
	switch value := value.(type) {
	case map[string]any:
		for _, v := range value {
			deepest = max(deepest, levels(v))
		}
	case []any:
		for _, v := range value {
			deepest = max(deepest, levels(v))
		}
	}
	return deepest + 1
}

// memory estimates how many bytes of memory a node occupies.
func memory(n node) int {
	const header = 48 // of a value in its container
	size := header
	switch n := n.(type) {
	case object:
		for key, member := range n {
			size += header + len(key) + memory(member)
		}
	case list:
		for _, element := range n {
			size += memory(element)
		}
	case leaf:
		switch value := n.value.(type) {
		case string:
			size += len(value)
		case json.Number:
			size += len(value)
		}
	}
	return size
}
