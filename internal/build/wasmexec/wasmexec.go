// Package wasmexec makes www/wasm_exec.js from the script of that name in Go's toolchain. The script
// implements the functions that a Go program imports.
package wasmexec

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"iot.wasm/internal/build/snapshot"
)

// Wrap returns www/wasm_exec.js: a module that runs the toolchain's wasm_exec.js in a
// function with a private global object. The page gets no globals from Go. Wrap removes the
// parts of the script that the wasm does not use. support is the script of the toolchain. started
// is the snapshot in the wasm; nil: the wasm contains a program that has not started.
func Wrap(support, wasm []byte, started *snapshot.Snapshot, goVersion, stamp string) ([]byte, error) {
	page := `// This fs has no files.
const fs = new Proxy({ constants: new Proxy({}, { get: () => -1 }), writeSync }, { get: (own, name) => own[name] ?? ((...args) => args.at(-1)({ code: "ENOSYS" })) });
const globalThis = { functions, fs, process: {}, path: {}, ` + strings.Join(pageGlobals, ", ") + ` };`
	var err error
	if started == nil {
		support = environment.ReplaceAllLiteral(support, []byte("\t\t\tthis._inst.exports.run(0, 4096);\n"))
	} else {
		page = `const globalThis = {}, absent = () => { throw new Error("absent"); };`
		support, err = restore(support, started.Script())
		support = replaceAbsent(support)
	}
	return fmt.Appendf(nil, `// Made by "make wasm" from the wasm_exec.js of %s. Do not edit.
export const stamp = %q;

/** Returns a Go runtime that has access only to the globals listed below. The program adds functions to the array. */
export function newGo(functions) {
// Go calls writeSync only to print a panic. writeSync logs whole lines.
let line = "";
const writeSync = (fd, bytes) => {
	line += new TextDecoder().decode(bytes);
	if (line.endsWith("\n")) {
		console.log(line.slice(0, -1));
		line = "";
	}
};
%s

%s
return new globalThis.Go();
}
`, goVersion, stamp, page, trim(support, wasm)), err
}

// restore replaces the code that makes the table of JavaScript values and starts the program by the
// statements of a snapshot.
func restore(support []byte, script string) ([]byte, error) {
	if !start.Match(support) {
		return nil, errors.New("the toolchain's wasm_exec.js starts a program in an unknown way: see internal/build/wasmexec (-snapshot=false works)")
	}
	var indented strings.Builder
	for line := range strings.Lines(script) {
		indented.WriteString("\t\t\t" + line)
	}
	return start.ReplaceAllLiteral(support, []byte(indented.String())), nil
}

// absent lists imports that the program does not call: it does not set elements of JavaScript arrays, and makes no JavaScript
// objects.
var absent = []string{"syscall/js.valueSetIndex", "syscall/js.valueNew"}

// replaceAbsent replaces the functions in absent by one that throws an error.
func replaceAbsent(support []byte) []byte {
	return hostCall.ReplaceAllFunc(support, func(call []byte) []byte {
		if name := string(hostCall.FindSubmatch(call)[1]); slices.Contains(absent, name) {
			return fmt.Appendf(nil, "\t\t\t\t\t%q: absent,\n\n", name)
		}
		return call
	})
}

// start matches the code that makes the table of JavaScript values and starts the program.
var start = regexp.MustCompile(`(?ms)^\t{3}this\._values = \[.*?^\t{3}this\._inst\.exports\.run\(argc, argv\);\n`)

// environment matches the code that passes arguments and environment variables to the
// program. Wrap replaces this code by a call without arguments. The memory at the address
// 4096 is zero, so the lists of arguments and variables are empty.
var environment = regexp.MustCompile(`(?ms)^\t{3}// Pass command line arguments and environment variables.*?^\t{3}this\._inst\.exports\.run\(argc, argv\);\n`)

// pageGlobals lists the globals of the page that the start of a program can use. A started program can use none.
var pageGlobals = []string{"Object", "Uint8Array", "Date", "crypto", "performance", "TextEncoder", "TextDecoder"}

// Globals describes the private global object for [snapshot.Take]. The program reads some of its members at the start and never again:
// an empty object replaces them on a page.
func Globals() snapshot.Object {
	list := snapshot.Object{
		"functions": {Text: "functions", Members: snapshot.Object{"push": {Function: true}}},
		"fs":        {Text: "{}", Members: snapshot.Object{"constants": {Text: "{}", Other: &snapshot.Member{Number: -1}}}},
		"process":   {Text: "{}"},
		"path":      {Text: "{}"},
	}
	for _, name := range pageGlobals {
		list[name] = &snapshot.Member{Text: name, Function: unicode.IsUpper(rune(name[0]))}
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
	regexp.MustCompile(`(?m)^"use strict";\n\n\(\(\) => \{\n`), // Wrap puts the script into a function of a module
	regexp.MustCompile(`(?m)^\}\)\(\);\n\z`),
}

// shorter lists texts that do the same as longer ones.
var shorter = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`addr \+ 0\b`), "addr"},
	{regexp.MustCompile(`(?ms)^\t{4}let typeFlag = 0;\n\t{4}switch \(typeof v\) \{\n.*?^\t{4}\}\n`),
		"\t\t\t\tconst typeFlag = v === null ? 0 : { object: 1, string: 2, symbol: 3, function: 4 }[typeof v];\n"},
	{regexp.MustCompile(`\bfs\.writeSync\(`), "writeSync("},
	// Addresses of 2 GiB and more are negative numbers in JavaScript. The memory of the client does not become that large: its
	// largest buffer has 256 MiB.
	{regexp.MustCompile(`(?m)^\t+sp >>>= 0;\n`), ""},
	{regexp.MustCompile(`\bgetsp\(\) >>> 0;`), "getsp();"},
}

// hostCall matches a function that a wasm may import.
var hostCall = regexp.MustCompile(`(?ms)^(?:\t{5}//[^\n]*\n)?\t{5}"([\w./]+)": \(\w+\) => \{\n.*?^\t{5}\},\n+`)

// clock matches the difference between the clock of Go's runtime and performance.now(), in ms. trim
// makes the clock of each page begin with the time at which the clock of a snapshot has stopped.
var clock = regexp.MustCompile(`const timeOrigin = Date\.now\(\) - performance\.now\(\);`)

// exited matches the statement by which a timer of Go throws an error in the page if the
// program has ended.
var exited = regexp.MustCompile(`throw new Error\("Go program has already exited"\);`)

// trim removes the unused parts of wasm_exec.js, and the functions that the wasm does not
// import.
func trim(support, wasm []byte) []byte {
	support = exited.ReplaceAll(support, []byte("return;"))
	support = clock.ReplaceAllLiteral(support, fmt.Appendf(nil, "const timeOrigin = %d - performance.now();", snapshot.Nanotime/1_000_000))
	for _, part := range unused {
		support = part.ReplaceAll(support, nil)
	}
	for _, r := range shorter {
		support = r.pattern.ReplaceAll(support, []byte(r.text))
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
