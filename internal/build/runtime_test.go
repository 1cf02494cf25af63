package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTrim looks whether this toolchain's script is laid out as trim expects.
func TestTrim(t *testing.T) {
	tools, err := findToolchain()
	if err != nil {
		t.Fatal(err)
	}
	support, err := os.ReadFile(filepath.Join(tools.root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	wasm := []byte("\x02\x04gojs\x14syscall/js.valueCall\x00\x00\x04gojs\x15runtime.getRandomData\x00\x00")
	got := trim(support, wasm)
	for _, in := range []string{`"syscall/js.valueCall"`, `"runtime.getRandomData"`, "_makeFuncWrapper", "globalThis.Go = class"} {
		if !bytes.Contains(got, []byte(in)) {
			t.Errorf("%s is gone", in)
		}
	}
	for _, out := range []string{`"syscall/js.valueInvoke"`, "chmod", "polyfill", "getuid", "enosys", "_gotest", "testExport", "setInt32 =", "_exitPromise", "exit code", "already exited"} {
		if bytes.Contains(got, []byte(out)) {
			t.Errorf("%s is still there", out)
		}
	}
}

// TestTrimUnknown leaves a script alone that is laid out in another way.
func TestTrimUnknown(t *testing.T) {
	support := []byte("globalThis.fs ||= {}; globalThis.Go = class { importObject = { gojs: { valueCall() {} } } };\n")
	if got := trim(support, nil); !bytes.Equal(got, support) {
		t.Errorf("it became %s", got)
	}
}
