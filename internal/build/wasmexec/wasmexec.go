// Package wasmexec makes www/wasm_exec.js from the script of that name in Go's toolchain. The script
// implements the functions that a Go program imports.
package wasmexec

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"iot.wasm/internal/build/snapshot"
)

// Wrap returns www/wasm_exec.js: a module that runs the toolchain's wasm_exec.js in a
// function with a private global object. The page gets no globals from Go. Go has access
// only to those globals of the page that the text below and pageGlobals list. Wrap removes the
// parts of the script that the wasm does not use. support is the script of the toolchain. start contains
// the statements that start the wasm: [Run], or those of [snapshot.Snapshot.Script].
func Wrap(support, wasm []byte, start, goVersion, stamp string) []byte {
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
const globalThis = { iotBridge, fs, process: {}, path: {}, %s };

%s
return new globalThis.Go();
}
`, goVersion, stamp, strings.Join(pageGlobals, ", "), trim(support, wasm, start))
}

// Run is the statement that starts a program which has not run.
const Run = "this._inst.exports.run(0, 4096);\n"

// pageGlobals lists the globals of the page that Go can use.
var pageGlobals = []string{"Object", "Uint8Array", "Date", "crypto", "performance", "TextEncoder", "TextDecoder"}

// Globals describes the private global object for [snapshot.Take].
func Globals() snapshot.Object {
	function := &snapshot.Member{Function: true}
	list := snapshot.Object{
		"iotBridge": {Members: snapshot.Object{"start": function}},
		"fs":        {Members: snapshot.Object{"constants": {Other: &snapshot.Member{Number: -1}}}, Other: function},
		"process":   {},
		"path":      {},
	}
	for _, name := range pageGlobals {
		list[name] = &snapshot.Member{Function: unicode.IsUpper(rune(name[0]))}
	}
	return list
}

// unused matches the parts of wasm_exec.js that no wasm of this project uses: fallbacks
// and checks for globals that Wrap provides, code for Go's own tests, and dead code. A
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

// started matches the code that passes arguments and environment variables to the program, and
// starts it.
var started = regexp.MustCompile(`(?ms)^\t{3}// Pass command line arguments and environment variables.*?^\t{3}this\._inst\.exports\.run\(argc, argv\);\n`)

// clock matches the difference between the clock of Go's runtime and performance.now(), in ms. trim
// makes the clock of each page begin with the time at which the clock of a snapshot has stopped.
var clock = regexp.MustCompile(`const timeOrigin = Date\.now\(\) - performance\.now\(\);`)

// exited matches the statement by which a timer of Go throws an error in the page if the
// program has ended.
var exited = regexp.MustCompile(`throw new Error\("Go program has already exited"\);`)

// trim removes the unused parts of wasm_exec.js, and the functions that the wasm does not
// import. It replaces the code that starts the program.
func trim(support, wasm []byte, start string) []byte {
	support = exited.ReplaceAll(support, []byte("return;"))
	support = started.ReplaceAllLiteral(support, []byte(start))
	support = clock.ReplaceAllLiteral(support, fmt.Appendf(nil, "const timeOrigin = %d - performance.now();", snapshot.Nanotime/1_000_000))
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
