// Package interop runs clients that other projects have written, unchanged, against the local stand-in
// for AWS IoT Core. Each client connects, receives its own message, updates a shadow and runs a job, as
// far as it offers that. The clients are npm packages; the folder clients has one script for each.
//
// A script prints a JSON array for each step. The tests compare these lines with the expected ones, and
// then read the shadow and the job from the stand-in with an HTTP client of their own.
package interop

import (
	"errors"
	"os"
	"testing"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, requireModules))
}

// requireModules is a harness.Step that fails if npm has not installed the clients.
func requireModules(string) (stop func(), err error) {
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		return nil, errors.New("the clients are not installed; run: make tools")
	}
	return nil, nil
}
