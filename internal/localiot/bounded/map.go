// Package bounded provides a map of limited size.
package bounded

// Map is a map with a maximum number of entries. When Put adds a key to a full Map, it removes the
// entry whose key was added first. A Map is not safe for concurrent use.
type Map[V any] struct {
	limit   int
	entries map[string]V
	order   []string // keys, oldest first
}

// NewMap returns an empty Map that holds at most limit entries; limit must be above 0.
func NewMap[V any](limit int) *Map[V] {
	return &Map[V]{limit: limit, entries: make(map[string]V)}
}

// Get returns the value of key, and reports whether the Map contains key.
func (m *Map[V]) Get(key string) (V, bool) {
	v, ok := m.entries[key]
	return v, ok
}

// Put sets the value of key. If the Map contains key, the age of the entry does not change. If Put removes
// an entry, it returns the key of that entry.
func (m *Map[V]) Put(key string, v V) (removed string, ok bool) {
	if _, exists := m.entries[key]; !exists {
		if len(m.order) == m.limit {
			removed, ok = m.order[0], true
			delete(m.entries, removed)
			m.order = m.order[1:]
		}
		m.order = append(m.order, key)
	}
	m.entries[key] = v
	return removed, ok
}

// All iterates over the entries in no particular order. During the iteration, Put may replace values.
func (m *Map[V]) All(yield func(key string, v V) bool) {
	for key, v := range m.entries {
		if !yield(key, v) {
			return
		}
	}
}
