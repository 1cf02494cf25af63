package shadow

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"iot.wasm/internal/localiot/jsontext"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/store/storetest"
)

func TestStore(t *testing.T) {
	dir := t.TempDir()
	now := time.UnixMilli(1_700_000_000_500)
	db := storetest.Open(t, dir)
	o := Options{Store: db, Now: func() time.Time { return now }}
	s := mustNew(t, o)
	mustUpdate(t, s, "lamp", "", `{"state":{"desired":{"a":{"b":[1,{"c":1e400}],"n":12345678901234567890},"o":{}},"reported":{"x":"ä<\u0000"}}}`)
	now = now.Add(time.Minute)
	mustUpdate(t, s, "lamp", "", `{"state":{"desired":{"a":{"d":true}}}}`)
	mustUpdate(t, s, "lamp", "$night:1", `{"state":{}}`)
	mustUpdate(t, s, "lamp", "gone", `{"state":{}}`)
	mustUpdate(t, s, "lamp", "gone", `{"state":{}}`)
	if _, err := s.Delete("lamp", "gone", nil); err != nil {
		t.Fatal(err)
	}
	get := func(name string) []byte {
		text, err := s.Get("lamp", name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	classic, named := get(""), get("$night:1")
	db.Close()
	if _, err := s.Update("lamp", "", []byte(`{"state":{"desired":null}}`)); err == nil {
		t.Error("an update that was not stored was accepted")
	}
	_, err := s.Delete("lamp", "", nil)
	wantCode(t, err, 500)
	if got := get(""); !bytes.Equal(got, classic) {
		t.Errorf("a change that was not stored took effect: %s", got)
	}

	o.Store = storetest.Open(t, dir)
	s = mustNew(t, o)
	if got := get(""); !bytes.Equal(got, classic) {
		t.Errorf("loaded\n%s\nwant\n%s", got, classic)
	}
	if got := get("$night:1"); !bytes.Equal(got, named) {
		t.Errorf("loaded\n%s\nwant\n%s", got, named)
	}
	_, err = s.Get("lamp", "gone", nil)
	wantCode(t, err, 404)
	mustUpdate(t, s, "lamp", "gone", `{"state":{},"version":2}`) // The version survives.

	bytes := s.table.bytes
	o.Store.Close()
	o.Store = storetest.Open(t, dir)
	if s = mustNew(t, o); s.table.bytes != bytes {
		t.Errorf("%d bytes, want %d", s.table.bytes, bytes)
	}
}

// A tombstone that has expired, or that made room, does not come back.
func TestStoreOfTombstones(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_700_000_000, 0)
	o := Options{Store: storetest.Open(t, dir), Now: func() time.Time { return now }, MaxThings: 2}
	s := mustNew(t, o)
	for _, thing := range []string{"a", "b"} {
		mustUpdate(t, s, thing, "", `{"state":{}}`)
		if _, err := s.Delete(thing, "", nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	mustUpdate(t, s, "c", "", `{"state":{}}`) // removes the tombstone of a
	now = now.Add(tombstoneLifetime + time.Second)
	_, err := s.Get("b", "", nil) // removes the tombstone of b
	wantCode(t, err, 404)
	o.Store.Close()
	o.Store = storetest.Open(t, dir)
	if s = mustNew(t, o); len(s.table.things) != 1 || s.table.things["c"] == nil {
		t.Errorf("loaded %v, want c", s.table.things)
	}
}

func TestDamagedStore(t *testing.T) {
	for _, value := range []string{
		"", "{", "{}", `{"version":1}`, `{"state":1,"metadata":{"timestamp":1}}`, `{"state":{"desired":1},"metadata":{}}`,
		`{"state":{"desired":[1]},"metadata":{"desired":[]}}`, `{"state":{"desired":1},"metadata":{"desired":{"timestamp":"1"}}}`,
	} {
		db := storetest.Open(t, t.TempDir())
		if err := db.Apply(store.Change{Bucket: bucket, Key: "a/", Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Store: db}); err == nil {
			t.Errorf("%q was loaded", value)
		}
	}
}

// FuzzRecord checks that a shadow that is stored and loaded does not change.
func FuzzRecord(f *testing.F) {
	f.Add(`{"state":{"desired":{"a":[1,{"b":null}]},"reported":{"x":1e400}}}`)
	f.Add(`{"state":{"desired":{"":{"":[]}}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := mustNew(t, Options{Now: func() time.Time { return time.Unix(7, 0) }})
		if _, err := s.Update("t", "", []byte(body)); err != nil {
			return
		}
		r := s.table.things["t"][""]
		loaded, err := decodeRecord(r.encode())
		if err != nil {
			t.Fatal(err)
		}
		got, want := fmt.Sprintf("%#v", loaded), fmt.Sprintf("%#v", r)
		if loaded.memory() != r.memory() || !bytes.Equal(jsontext.Encode(newDocument(loaded.state, 1)), jsontext.Encode(newDocument(r.state, 1))) {
			t.Fatalf("loaded %s, want %s", got, want)
		}
	})
}
