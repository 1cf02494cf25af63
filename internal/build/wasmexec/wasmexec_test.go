package wasmexec

import (
	"bytes"
	"testing"

	"iot.wasm/internal/wasmtest"
)

// TestTrim checks that the patterns of trim match the script of this toolchain.
func TestTrim(t *testing.T) {
	support := wasmtest.Support(t)
	wasm := []byte("\x02\x04gojs\x14syscall/js.valueCall\x00\x00\x04gojs\x15runtime.getRandomData\x00\x00")
	got := trim(support, wasm)
	for _, kept := range []string{`"syscall/js.valueCall"`, `"runtime.getRandomData"`, "_makeFuncWrapper", "globalThis.Go = class", "const timeOrigin = 1 - performance.now();"} {
		if !bytes.Contains(got, []byte(kept)) {
			t.Errorf("%s is missing", kept)
		}
	}
	for _, removed := range []string{`"syscall/js.valueInvoke"`, "chmod", "polyfill", "getuid", "enosys", "_gotest", "testExport", "setInt32 =", "_exitPromise", "Date.now()", "exit code", "already exited"} {
		if bytes.Contains(got, []byte(removed)) {
			t.Errorf("%s is not removed", removed)
		}
	}
}

// TestTrimUnknown checks that trim does not change a script of another form.
func TestTrimUnknown(t *testing.T) {
	support := []byte("globalThis.fs ||= {}; globalThis.Go = class { importObject = { gojs: { valueCall() {} } } };\n")
	if got := trim(support, nil); !bytes.Equal(got, support) {
		t.Errorf("the script became %s", got)
	}
}
