package snapshot

import (
	"bytes"
	"strings"
	"testing"

	"iot.wasm/internal/build/wasmfile"
	"iot.wasm/internal/wasmtest"
)

// page is the global object of the programs in testdata.
var page = Object{
	"Object": {Function: true}, "Uint8Array": {Function: true}, "fs": {Members: Object{"constants": {Other: &Member{Number: -1}}}, Other: &Member{Function: true}},
	"process": {}, "path": {}, "host": {Members: Object{"ready": {Function: true}}},
}

// compile compiles a program of testdata.
func compile(t *testing.T, name string) *wasmfile.Module {
	t.Helper()
	m, err := wasmfile.Parse(wasmtest.Compile(t, "./testdata/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t *testing.T, s *Snapshot) []byte {
	t.Helper()
	m, err := s.Module()
	if err != nil {
		t.Fatal(err)
	}
	return m.Bytes()
}

// TestTake checks that two snapshots of a program are equal, that the program itself does not change, and
// that the script repeats the call of the program.
func TestTake(t *testing.T) {
	program := compile(t, "start")
	before := program.Bytes()
	first, err := Take(program, page)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Take(program, page)
	if err != nil {
		t.Fatal(err)
	}
	started, again := encode(t, first), encode(t, second)
	if !bytes.Equal(started, again) || first.Script() != second.Script() {
		t.Error("two snapshots differ")
	}
	if !bytes.Equal(before, program.Bytes()) {
		t.Error("the program has changed")
	}
	if bytes.Equal(before, started) {
		t.Error("the snapshot has the state of a program that has not started")
	}
	first.Prepare = "prepare"
	script := first.Script()
	values, call, ok := strings.Cut(script, "this._inst.exports.prepare();\n")
	if !ok || !strings.HasPrefix(call, "this._values[") || !strings.Contains(call, "].ready(this._values[") || !strings.HasSuffix(call, ", 42);\n") {
		t.Errorf("the script is %s", script)
	}
	for _, want := range []string{"globalThis.host", `"text"`, "this._makeFuncWrapper(1)", "_goRefCounts = [Infinity, "} {
		if !strings.Contains(values, want) {
			t.Errorf("%s is missing in %s", want, values)
		}
	}
}

// TestRefused checks that Take does not store a program that has done something that a page cannot repeat.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"timer":  "it calls runtime.scheduleTimeoutEvent, which the snapshot does not support",
		"panics": "panic: no start",
		"calls":  "it calls globalThis.parseInt",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Take(compile(t, name), page); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want: %s", err, want)
			}
		})
	}
}
