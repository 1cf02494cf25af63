// Package load measures the stand-in for AWS IoT Core with many connections, and checks that it loses no
// message and that its memory does not grow.
//
// "make load" runs longer than "make test".
package load

import (
	"flag"
	"os"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

var (
	connections = flag.Int("connections", 100, "the number of connections, a multiple of 20")
	deliveries  = flag.Int("deliveries", 2000, "how many messages a second the server sends")
	persistent  = flag.Bool("persistent", false, "the clients have persistent sessions, and the server stores them in a file")
	duration    = flag.Duration("for", 2*time.Second, "how long the clients publish")
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe))
}
