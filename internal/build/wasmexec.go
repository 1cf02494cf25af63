package main

import (
	"bytes"
	"fmt"
	"regexp"
)

// wrap returns www/wasm_exec.js: a module that runs the toolchain's wasm_exec.js in a
// function with a private global object. The page gets no globals from Go. Go has access
// only to those globals of the page that the text below lists. wrap removes the parts of
// the script that the wasm does not use.
func wrap(support, wasm []byte, goVersion, stamp string) []byte {
	return fmt.Appendf(nil, `// Made by "make wasm" from the wasm_exec.js of %s. Do not edit.
export const stamp = %q;

/** Returns a Go runtime that has access only to the globals listed below. */
export function newGo(iotBridge) {
// This fs has no files. Go calls writeSync only to print a panic. writeSync logs whole lines.
let line = "";
const fs = new Proxy({
	constants: new Proxy({}, { get: () => -1 }),
	writeSync(fd, bytes) {
		line += new TextDecoder().decode(bytes);
		if (line.endsWith("\n")) {
			console.log(line.slice(0, -1));
			line = "";
		}
	},
}, { get: (own, name) => own[name] ?? ((...args) => args.at(-1)({ code: "ENOSYS" })) });
const globalThis = { iotBridge, fs, process: {}, path: {}, Object, Uint8Array, Date, crypto, performance, TextEncoder, TextDecoder };

%s
return new globalThis.Go();
}
`, goVersion, stamp, trim(support, wasm))
}

// unused matches the parts of wasm_exec.js that no wasm of this project uses: fallbacks
// and checks for globals that wrap provides, code for Go's own tests, and dead code. A
// pattern may match nothing in the script of another toolchain. The script then keeps the
// part, and still works.
var unused = []*regexp.Regexp{
	regexp.MustCompile(`(?ms)^\tif \(!globalThis\.(?:fs|process|path|crypto|performance|TextEncoder|TextDecoder)\) \{\n.*?^\t\}\n+`),
	regexp.MustCompile(`(?ms)^\tconst enosys = .*?^\t\};\n+`),
	regexp.MustCompile(`(?ms)^\t{3}const setInt32 = .*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{3}const testCallExport = .*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{3}if \(!\(instance instanceof WebAssembly\.Instance\)\) \{\n.*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{4}_gotest: \{\n.*?^\t{4}\},\n`),
	regexp.MustCompile(`(?m)^\t+console\.warn\("scheduleTimeoutEvent: missed timeout event"\);\n`),
	// The loader sets the member exit. It does not wait for the end of the program, and does
	// not use the runtime again.
	regexp.MustCompile(`(?ms)^\t{3}this\._exitPromise = .*?^\t{3}\}\);\n`),
	regexp.MustCompile(`(?m)^\t+if \(this\.exited\) \{\n\t+this\._resolveExitPromise\(\);\n\t+\}\n`),
	regexp.MustCompile(`(?m)^\t+await this\._exitPromise;\n`),
	regexp.MustCompile(`(?m)^\t+this\.exited = false;[^\n]*\n`),
	regexp.MustCompile(`(?ms)^\t{6}if \(!\(\w+ instanceof Uint8Array \|\| .*?^\t{6}\}\n`), // all callers pass a Uint8Array
	regexp.MustCompile(`"utf-8"`),
	regexp.MustCompile(`(?ms)^\t{3}this\.argv = .*?^\t{3}this\.exit = .*?^\t{3}\};?\n`),
	regexp.MustCompile(`(?m)^\t+delete this\._\w+;\n`),
}

// hostCall matches a function that a wasm may import.
var hostCall = regexp.MustCompile(`(?ms)^(?:\t{5}//[^\n]*\n)?\t{5}"([\w./]+)": \(\w+\) => \{\n.*?^\t{5}\},\n+`)

// environment matches the code that passes arguments and environment variables to the
// program. trim replaces this code by a call without arguments. The memory at the address
// 4096 is zero, so the lists of arguments and variables are empty.
var environment = regexp.MustCompile(`(?ms)^\t{3}// Pass command line arguments and environment variables.*?^\t{3}this\._inst\.exports\.run\(argc, argv\);\n`)

// exited matches the statement by which a timer of Go throws an error in the page if the
// program has ended.
var exited = regexp.MustCompile(`throw new Error\("Go program has already exited"\);`)

// trim removes the unused parts of wasm_exec.js, and the functions that the wasm does not
// import.
func trim(support, wasm []byte) []byte {
	support = exited.ReplaceAll(support, []byte("return;"))
	support = environment.ReplaceAll(support, []byte("\t\t\tthis._inst.exports.run(0, 4096);\n"))
	for _, part := range unused {
		support = part.ReplaceAll(support, nil)
	}
	return hostCall.ReplaceAllFunc(support, func(call []byte) []byte {
		name := hostCall.FindSubmatch(call)[1]
		// In an import section, the length of a name precedes the name.
		if imported := append([]byte("\x04gojs"+string(rune(len(name)))), name...); bytes.Contains(wasm, imported) {
			return call
		}
		return nil
	})
}
