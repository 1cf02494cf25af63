// Package storetest opens a store, for the tests of the services.
package storetest

import (
	"testing"

	"iot.wasm/internal/localiot/store"
)

// Open opens the DB in a folder, and closes it at the end of the test. The test may close it earlier.
func Open(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
