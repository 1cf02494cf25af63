// Package cluster tests pages of Chromium against a cluster of two ejabberd nodes on this
// machine, as an example of a clustered broker. docs/brokers.md refers to the results.
package cluster

import (
	"os"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.StartChromium))
}

// patience is how long a tab or a node may take for one operation. It is longer than any
// operation needs.
const patience = 2 * time.Minute
