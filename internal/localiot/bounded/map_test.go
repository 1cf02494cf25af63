package bounded

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestMapRemovesOldestEntry(t *testing.T) {
	m := NewMap[int](3)
	for i := range 5 {
		m.Put(fmt.Sprint(i), i)
	}
	m.Put("2", 20) // replaces a value and removes nothing
	if got, want := maps.Collect(m.All), map[string]int{"2": 20, "3": 3, "4": 4}; !maps.Equal(got, want) {
		t.Errorf("the map holds %v, want %v", got, want)
	}
	if !slices.Equal(m.order, []string{"2", "3", "4"}) {
		t.Errorf("the order is %v", m.order)
	}
	if removed, ok := m.Put("4", 4); ok {
		t.Errorf("Put of an existing key removes %q", removed)
	}
	if removed, ok := m.Put("5", 5); !ok || removed != "2" {
		t.Errorf("Put removes %q, %v; want the oldest entry", removed, ok)
	}
	if _, ok := m.Get("2"); ok {
		t.Error("the oldest entry is still in the map")
	}
	if v, ok := m.Get("5"); !ok || v != 5 {
		t.Errorf("the newest entry is %d, %v", v, ok)
	}
}
