package dist

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"iot.wasm/internal/build/snapshot"
	"iot.wasm/internal/build/wasmexec"
	"iot.wasm/internal/build/wasmfile"
	"iot.wasm/internal/wasmtest"
	"iot.wasm/test/harness"
)

// TestSnapshot compares the two ways to start the wasm. The build runs the start in an interpreter, and Node runs it in
// V8 with the toolchain's wasm_exec.js. The memory and the globals of WebAssembly must be the same, and so must be the
// values that Go has in JavaScript after the restoration.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := harness.Command(harness.Root, builder, "-snapshot=false", "-o", file("built.wasm")); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(file("built.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := wasmfile.Parse(built)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := snapshot.Take(program, wasmexec.Globals())
	if err != nil {
		t.Fatal(err)
	}
	restored, err := taken.Module()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.ExportGlobals("global"); err != nil {
		t.Fatal(err)
	}
	wrap := func(started *snapshot.Snapshot) []byte {
		script, err := wasmexec.Wrap(wasmtest.Support(t), built, started, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return script
	}
	for name, content := range map[string][]byte{
		"program.mjs":   wrap(nil),
		"snapshot.mjs":  wrap(taken),
		"program.wasm":  program.Bytes(),
		"snapshot.wasm": restored.Bytes(),
	} {
		if err := os.WriteFile(file(name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	node := exec.CommandContext(t.Context(), node22, "testdata/snapshot.mjs", file("program.mjs"), file("snapshot.mjs"), file("program.wasm"), file("snapshot.wasm"), file("memory"))
	node.Stderr = os.Stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Globals           []string
		Started, Restored struct {
			Values, IDs, Counts []string
			Free                []int
			Calls               [][]string
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !reflect.DeepEqual(got.Started, got.Restored) || len(got.Started.Values) < 10 {
		t.Errorf("in JavaScript, the started program has\n%+v\nand the snapshot has\n%+v", got.Started, got.Restored)
	}
	globals, err := restored.Globals()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, g := range globals {
		want = append(want, strconv.FormatInt(g.Value, 10))
	}
	if !reflect.DeepEqual(got.Globals, want) {
		t.Errorf("the globals are %v in V8, and %v in the snapshot", got.Globals, want)
	}
	memory, err := os.ReadFile(file("memory"))
	if err != nil {
		t.Fatal(err)
	}
	if len(memory) != len(taken.Memory) {
		t.Fatalf("the memory has %d bytes in V8, and %d in the snapshot", len(memory), len(taken.Memory))
	}
	for i := range memory {
		if memory[i] != taken.Memory[i] {
			t.Fatalf("at the address %d, the memory has % x in V8, and % x in the snapshot", i, memory[i:i+8], taken.Memory[i:i+8])
		}
	}
	if bytes.Equal(built, restored.Bytes()) {
		t.Error("the snapshot equals the program that has not started")
	}
}
