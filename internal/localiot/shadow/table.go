package shadow

import (
	"cmp"
	"slices"
	"time"

	"iot.wasm/internal/localiot/store"
)

const (
	// tombstoneLifetime is how long the version of a deleted shadow is kept
	// (device-shadow-data-flow.html, DELETE).
	tombstoneLifetime = 48 * time.Hour

	// entryMemory estimates the memory of a shadow without state, in bytes.
	entryMemory = 512
)

// A record is a shadow, or a tombstone: the version of a deleted shadow.
type record struct {
	state   object // the members desired and reported, unless they are empty; nil in a tombstone
	version int64
	deleted time.Time // zero unless the record is a tombstone
}

func (r *record) isTombstone() bool { return !r.deleted.IsZero() }

func (r *record) memory() int { return entryMemory + memory(r.state) }

// section returns the section desired or reported. It is nil if the shadow does not have it.
func (r *record) section(name string) object {
	section, _ := r.state[name].(object)
	return section
}

// A table holds records by thing and shadow name. The name of a classic shadow is empty. The table is not
// safe for concurrent use.
type table struct {
	maxThings int
	maxBytes  int
	db        *store.DB // may be nil
	things    map[string]map[string]*record
	bytes     int // the memory of all records
}

// find returns a record, or nil. It removes a tombstone that has expired at the time now.
func (s *table) find(thing, name string, now time.Time) *record {
	r := s.things[thing][name]
	if r != nil && r.isTombstone() && now.Sub(r.deleted) > tombstoneLifetime {
		s.drop(thing, name)
		return nil
	}
	return r
}

// put stores a record, first in the DB. It reports false if it fails, or if the bounds do not allow it.
// Before that it removes tombstones to make room, the oldest first. It removes at least half of them, so
// that it need not sort them again soon.
func (s *table) put(thing, name string, r *record) bool {
	fits := func() bool {
		bytes := s.bytes + r.memory()
		if old := s.things[thing][name]; old != nil {
			bytes -= old.memory()
		}
		return bytes <= s.maxBytes && (s.things[thing] != nil || len(s.things) < s.maxThings)
	}
	if !fits() {
		tombstones := s.tombstones()
		for i, t := range tombstones {
			if i >= len(tombstones)/2 && fits() {
				break
			}
			s.drop(t.thing, t.name)
		}
		if !fits() {
			return false
		}
	}
	if s.db.Apply(store.Change{Bucket: bucket, Key: key(thing, name), Value: r.encode()}) != nil {
		return false
	}
	s.set(thing, name, r)
	return true
}

// set stores a record in memory only.
func (s *table) set(thing, name string, r *record) {
	s.remove(thing, name)
	if s.things[thing] == nil {
		s.things[thing] = make(map[string]*record)
	}
	s.things[thing][name] = r
	s.bytes += r.memory()
}

// drop removes a tombstone. It need not wait for the DB: a tombstone has no effect after its lifetime.
func (s *table) drop(thing, name string) {
	s.db.Enqueue(store.Change{Bucket: bucket, Key: key(thing, name)})
	s.remove(thing, name)
}

// remove removes a record from memory if there is one.
func (s *table) remove(thing, name string) {
	r := s.things[thing][name]
	if r == nil {
		return
	}
	s.bytes -= r.memory()
	delete(s.things[thing], name)
	if len(s.things[thing]) == 0 {
		delete(s.things, thing)
	}
}

// A tombstone names a record that is a tombstone.
type tombstone struct {
	thing, name string
	deleted     time.Time
}

// tombstones returns all tombstones, the oldest first.
func (s *table) tombstones() (list []tombstone) {
	for thing, records := range s.things {
		for name, r := range records {
			if r.isTombstone() {
				list = append(list, tombstone{thing, name, r.deleted})
			}
		}
	}
	slices.SortFunc(list, func(a, b tombstone) int {
		return cmp.Or(a.deleted.Compare(b.deleted), cmp.Compare(a.thing, b.thing), cmp.Compare(a.name, b.name))
	})
	return list
}

// names returns the names of the named shadows of a thing that exist, sorted.
func (s *table) names(thing string) []string {
	names := []string{}
	for name, r := range s.things[thing] {
		if name != "" && !r.isTombstone() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
