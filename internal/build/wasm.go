package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"iot.wasm/internal/build/pclntab"
	"iot.wasm/internal/build/snapshot"
	"iot.wasm/internal/build/wasmexec"
	"iot.wasm/internal/build/wasmfile"
)

// makeWasm makes www/iot.wasm, www/wasm_exec.js, www/iot.global.js and www/demos/embed.html.
// support is the toolchain's wasm_exec.js.
func makeWasm(p program, support []byte) error {
	wasm, started, err := p.make()
	if err != nil {
		return err
	}
	if err := os.WriteFile("www/iot.wasm", wasm, 0o644); err != nil {
		return err
	}
	script, err := wasmexec.Wrap(support, wasm, started, p.tools.version, p.stamp)
	if err != nil {
		return err
	}
	if err := os.WriteFile("www/wasm_exec.js", script, 0o644); err != nil {
		return err
	}
	if err := bundle(); err != nil {
		return err
	}
	if err := fillDemo(wasm); err != nil {
		return err
	}
	fmt.Printf("www/iot.wasm %s, %.2f MB; next: go run serve.go\n", p.stamp, float64(len(wasm))/1e6)
	return nil
}

// fillDemo makes www/demos/embed.html, a page that contains the hashes of www/iot.global.js and
// of the wasm, from its template.
func fillDemo(wasm []byte) error {
	const page = "www/demos/embed.html"
	script, err := os.ReadFile("www/iot.global.js")
	if err != nil {
		return err
	}
	t, err := template.ParseFiles(page + ".tmpl")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]string{"ScriptHash": integrity(script), "WasmHash": integrity(wasm)}); err != nil {
		return err
	}
	return os.WriteFile(page, b.Bytes(), 0o644)
}

// A program is the wasm, with the options of its build.
type program struct {
	tools    *toolchain
	stamp    string
	names    bool // whether the wasm contains the names of its functions
	snapshot bool // whether the start of the program runs in the build
}

// make compiles the wasm. started is the snapshot that it contains; nil: its start runs in the page.
func (p program) make() (wasm []byte, started *snapshot.Snapshot, err error) {
	compiled, err := p.compile()
	if err != nil {
		return nil, nil, err
	}
	module, err := wasmfile.Parse(compiled)
	if err != nil {
		return nil, nil, err
	}
	if p.snapshot {
		if started, err = snapshot.Take(module, wasmexec.Globals()); err != nil {
			return nil, nil, fmt.Errorf("run the start of the wasm in the build (-snapshot=false: in the page): %w", err)
		}
		started.Prepare = "iot_proceed"
		if err := pclntab.Strip(started.Memory); err != nil {
			return nil, nil, err
		}
		module, err = started.Module()
	} else {
		err = module.JoinSegments()
	}
	if err != nil {
		return nil, nil, err
	}
	module.AddCustom("stamp", []byte(p.stamp))
	return module.Bytes(), started, nil
}

// compile runs the compiler. The stand-ins of writeOverlay and the compiler's flags reduce the size of the wasm. compile
// inlines functions of this project, of the runtime, and of the internal packages of the standard library only. In the
// packages of the receive path, inlining saves a fifth of the time for each message. In the runtime it makes the start
// faster: the browser compiles each function when it is called first, and connect() then calls 500 instead of 730 functions. That
// costs 23 kB of the download. Inlining in all packages costs 12 kB more and saves little time.
func (p program) compile() ([]byte, error) {
	dir, err := os.MkdirTemp("", "iot-build")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(".", p.tools.root, dir)
	if err != nil {
		return nil, err
	}
	ldflags := "-buildid="
	if !p.names {
		ldflags += " -s -w"
	}
	tags := ""
	if p.snapshot {
		tags = "snapshot"
	}
	out := filepath.Join(dir, "iot.wasm")
	if err := p.tools.build("-overlay", overlay, "-tags", tags,
		"-gcflags", "all=-l", "-gcflags", "runtime/...=", "-gcflags", "internal/...=", "-gcflags", "iot.wasm/...=", "-gcflags", "iot.wasm/wasm/sigv4=-l", "-gcflags", "iot.wasm/wasm/secret=-l",
		"-ldflags", ldflags, "-o", out, "./wasm"); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}
