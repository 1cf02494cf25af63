// Package places runs one suite of the public API, written once in JavaScript
// (suite.js and suite/), in every place where a page's JavaScript runs: windows,
// frames and workers of three browser engines, and Node.
//
// A browser is only started, with the address of a page. The pages come from a
// server of the test's own, report to it what they find, and go on by themselves
// from one place to the next.
package places

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const root = "../.."

// serveBinary is serve.go, built once.
var serveBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "iot-serve-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	serveBinary = filepath.Join(dir, "serve")
	build := exec.Command("go", "build", "-o", serveBinary, "serve.go")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build serve.go: %v\n%s", err, out)
		return 1
	}
	if _, err := os.Stat(filepath.Join(root, "www/iot.wasm")); err != nil {
		fmt.Fprintln(os.Stderr, "www/iot.wasm is missing; run: make wasm")
		return 1
	}
	return m.Run()
}
