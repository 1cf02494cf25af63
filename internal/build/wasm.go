package main

import (
	"bytes"
	"fmt"
	"os"
	"text/template"
)

// makeWasm makes www/iot.wasm, www/wasm_exec.js, www/iot.global.js and www/demos/embed.html.
// support is the toolchain's wasm_exec.js.
func makeWasm(tools *toolchain, stamp string, support []byte, lean bool) error {
	if err := compile(tools, stamp, "www/iot.wasm", lean); err != nil {
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

// compile makes the wasm as the file out. Build tags and compiler flags reduce its size.
// The default build omits HTTP/2, because the signer uses only the request type of
// net/http. The lean build omits net/http, and inlines functions of this project only.
func compile(tools *toolchain, stamp, out string, lean bool) error {
	args := []string{"-ldflags", "-s -w -buildid= -X main.version=" + stamp, "-o", out}
	if lean {
		args = append(args, "-tags", "lean", "-gcflags", "all=-l", "-gcflags", "iot.wasm/...=")
	} else {
		// Inlining in these packages costs bytes and saves little time. In the others, it saves a fifth of the time for each
		// received message.
		for _, name := range []string{"abi", "mqtt", "sigv4", "secret"} {
			args = append(args, "-gcflags", "iot.wasm/wasm/"+name+"=-l")
		}
		args = append(args, "-tags", "nethttpomithttp2")
	}
	if err := tools.build(append(args, "./wasm")...); err != nil {
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
