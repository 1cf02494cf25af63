package main

import (
	"bytes"
	"fmt"
	"os"
	"text/template"
)

// makeWasm makes www/iot.wasm, www/wasm_exec.js, www/iot.global.js and www/demos/embed.html.
// support is the toolchain's wasm_exec.js.
func makeWasm(tools *toolchain, stamp string, support []byte) error {
	if err := compile(tools, stamp, "www/iot.wasm", false); err != nil {
		return err
	}
	wasm, err := os.ReadFile("www/iot.wasm")
	if err != nil {
		return err
	}
	if err := os.WriteFile("www/wasm_exec.js", wrap(support, wasm, tools.version, stamp), 0o644); err != nil {
		return err
	}
	if err := bundle(); err != nil {
		return err
	}
	if err := fillDemo(wasm); err != nil {
		return err
	}
	fmt.Printf("www/iot.wasm %s, %.2f MB; next: go run serve.go\n", stamp, float64(len(wasm))/1e6)
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

// compile makes the wasm as the file out. The stand-ins of writeOverlay and the compiler's flags reduce its size. It
// inlines functions of this project only: inlining in the standard library costs 50 kB of the download and saves no time,
// while in the packages of the receive path it saves a fifth of the time for each message. With names, the wasm contains the names of its functions.
func compile(tools *toolchain, stamp, out string, names bool) error {
	dir, err := os.MkdirTemp("", "iot-build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(".", tools.root, dir)
	if err != nil {
		return err
	}
	ldflags := "-buildid= -X main.version=" + stamp
	if !names {
		ldflags += " -s -w"
	}
	if err := tools.build("-overlay", overlay, "-gcflags", "all=-l", "-gcflags", "iot.wasm/...=", "-gcflags", "iot.wasm/wasm/sigv4=-l", "-gcflags", "iot.wasm/wasm/secret=-l",
		"-ldflags", ldflags, "-o", out, "./wasm"); err != nil {
		return err
	}
	module, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	if module, err = joinSegments(module); err != nil {
		return err
	}
	return os.WriteFile(out, module, 0o644)
}
