package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/internal/build/wasmexec"
	"iot.wasm/internal/wasmtest"
)

// TestRuntime runs a Go program with the wasm_exec.js that the build makes, which is shorter than
// the toolchain's. The program prints and panics.
func TestRuntime(t *testing.T) {
	t.Parallel()
	wasm := wasmtest.Compile(t, "./testdata/prints")
	program := filepath.Join(t.TempDir(), "prints.wasm")
	if err := os.WriteFile(program, wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	script, err := wasmexec.Wrap(wasmtest.Support(t), wasm, nil, "", "")
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(t.TempDir(), "wasm_exec.mjs")
	if err := os.WriteFile(module, script, 0o644); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), node22, "testdata/runtime.mjs", module, program)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	for i, want := range []string{"by the runtime", "open /nothing: not implemented on js", "panic: at last"} {
		if i >= len(lines) || lines[i] != want {
			t.Errorf("line %d of the output is not %q:\n%s", i+1, want, out)
		}
	}
	if !strings.HasSuffix(string(out), "exit code 2\n") {
		t.Errorf("the exit code is not 2:\n%s", out)
	}
}
