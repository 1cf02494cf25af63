// Package places runs one suite of tests of the public API, written in JavaScript
// (suite.js and suite/), in every kind of place where a page's JavaScript runs: windows,
// frames and workers of three browser engines, and Node.
//
// A test starts a browser with the address of a page. The pages come from a server of the
// test. The pages report their results to that server, and each page navigates to the next.
package places

import (
	"os"
	"testing"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe)) }
