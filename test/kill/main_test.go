// Package kill ends the stand-in for AWS IoT Core by SIGKILL at random moments under load, starts it
// again with the same -data folder, and checks that nothing is lost that it had acknowledged.
//
// "make kill" runs more rounds than "make test".
package kill

import (
	"flag"
	"os"
	"testing"

	"iot.wasm/test/harness"
)

var (
	kills = flag.Int("kills", 10, "how often to kill the server")
	seed  = flag.Uint64("seed", 1, "the seed of the random moments")
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe))
}
