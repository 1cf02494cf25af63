package dist

import (
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// patience is how long a page may take. It is longer than any page needs.
const patience = time.Minute

// read opens a page, waits until the value of the expression is truthy, and returns it.
func read[T any](t *testing.T, url, expression string) T {
	t.Helper()
	return harness.Await[T](harness.Open(t, harness.Browser, url, patience), expression)
}
