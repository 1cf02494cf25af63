// Package wasmtest compiles Go programs for browsers, and finds the files of the toolchain, for the tests of other
// packages.
package wasmtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Compile returns the wasm of the program in the folder dir, for example "./testdata/start". Compile fails the test if the
// program has an error.
func Compile(t testing.TB, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program.wasm")
	cmd := exec.Command("go", "build", "-o", out, dir)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return read(t, out)
}

// Root returns the root folder of the toolchain.
func Root(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Support returns the wasm_exec.js of the toolchain.
func Support(t testing.TB) []byte {
	t.Helper()
	return read(t, filepath.Join(Root(t), "lib", "wasm", "wasm_exec.js"))
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
