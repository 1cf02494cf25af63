// Package bounded provides a map of limited size.
package bounded

// Map is a map with a maximum number of entries. Adding an entry to a full Map removes the oldest
// one. It is not safe for concurrent use.
type Map[V any] struct {
	limit   int
	entries map[string]V
	order   []string // keys, oldest first
}

// NewMap returns an empty Map that holds at most limit entries; limit must be above 0.
func NewMap[V any](limit int) *Map[V] {
	return &Map[V]{limit: limit, entries: make(map[string]V)}
}

// Get returns the value stored under key, and whether there is one.
func (m *Map[V]) Get(key string) (V, bool) {
	v, ok := m.entries[key]
	return v, ok
}

// Put stores v under key. Replacing the value of a key does not make its entry younger.
func (m *Map[V]) Put(key string, v V) {
	if _, ok := m.entries[key]; !ok {
		if len(m.order) == m.limit {
			delete(m.entries, m.order[0])
			m.order = m.order[1:]
		}
		m.order = append(m.order, key)
	}
	m.entries[key] = v
}

// All calls yield for every entry, in no particular order, until yield returns false. yield may
// replace values.
func (m *Map[V]) All(yield func(key string, v V) bool) {
	for key, v := range m.entries {
		if !yield(key, v) {
			return
		}
	}
}
