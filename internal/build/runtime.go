package main

import (
	"bytes"
	"fmt"
	"regexp"
)

// wrap puts the toolchain's script into a function with a global object of its
// own, so that it leaves nothing on the page, and Go sees nothing of the page
// but what is listed. What the wasm does not use of the script is left out.
func wrap(support, wasm []byte, goVersion, stamp string) []byte {
	return fmt.Appendf(nil, `// Made by "make wasm" from the wasm_exec.js of %s. Do not edit.
export const stamp = %q;

/** A Go runtime that knows of the page only what stands here. */
export function newGo(iotBridge) {
// There are no files; what Go prints, when it panics, is for the console, line by line.
let line = "";
const own = {
	constants: new Proxy({}, { get: () => -1 }),
	writeSync(fd, bytes) {
		const lines = (line + new TextDecoder().decode(bytes)).split("\n");
		line = lines.pop();
		if (lines.length > 0) console.log(lines.join("\n"));
		return bytes.length;
	},
	write(fd, bytes, ...more) {
		more.at(-1)(null, own.writeSync(fd, bytes));
	},
};
const fs = new Proxy(own, { get: (_, name) => own[name] ?? ((...args) => args.at(-1)({ code: "ENOSYS" })) });
const globalThis = { iotBridge, fs, process: {}, path: {}, Object, Array, Uint8Array, Date, Error, crypto, performance, TextEncoder, TextDecoder };

%s
return new globalThis.Go();
}
`, goVersion, stamp, trim(support, wasm))
}

// unused is what no wasm of this project can need of a wasm_exec.js: stand-ins
// for what wrap provides, complaints about its lack, and what is left over or for
// Go's own tests.
// A toolchain whose script is laid out otherwise keeps it, and works as well.
var unused = []*regexp.Regexp{
	regexp.MustCompile(`(?ms)^\tif \(!globalThis\.(?:fs|process|path|crypto|performance|TextEncoder|TextDecoder)\) \{\n.*?^\t\}\n+`),
	regexp.MustCompile(`(?ms)^\tconst enosys = .*?^\t\};\n+`),
	regexp.MustCompile(`(?ms)^\t{3}const setInt32 = .*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{3}const testCallExport = .*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{3}if \(!\(instance instanceof WebAssembly\.Instance\)\) \{\n.*?^\t{3}\}\n+`),
	regexp.MustCompile(`(?ms)^\t{4}_gotest: \{\n.*?^\t{4}\},\n`),
	regexp.MustCompile(`(?m)^\t+console\.warn\("scheduleTimeoutEvent: missed timeout event"\);\n`),
	// The loader sets exit, waits for nothing, and lets go of all of it.
	regexp.MustCompile(`(?ms)^\t{3}this\._exitPromise = .*?^\t{3}\}\);\n`),
	regexp.MustCompile(`(?m)^\t+if \(this\.exited\) \{\n\t+this\._resolveExitPromise\(\);\n\t+\}\n`),
	regexp.MustCompile(`(?m)^\t+await this\._exitPromise;\n`),
	regexp.MustCompile(`(?m)^\t+this\.exited = false;[^\n]*\n`),
	regexp.MustCompile(`(?ms)^\t{6}if \(!\(\w+ instanceof Uint8Array \|\| .*?^\t{6}\}\n`), // our callers pass nothing else
	regexp.MustCompile(`"utf-8"`),
	regexp.MustCompile(`(?ms)^\t{3}this\.argv = .*?^\t{3}this\.exit = .*?^\t{3}\};?\n`),
	regexp.MustCompile(`(?m)^\t+delete this\._\w+;\n`),
}

// hostCall is a function that a wasm may import.
var hostCall = regexp.MustCompile(`(?ms)^(?:\t{5}//[^\n]*\n)?\t{5}"([\w./]+)": \(\w+\) => \{\n.*?^\t{5}\},\n+`)

// environment is how a script gives the program its arguments and variables: an
// empty list stands at that address as long as nothing is written there.
var environment = regexp.MustCompile(`(?ms)^\t{3}// Pass command line arguments and environment variables.*?^\t{3}this\._inst\.exports\.run\(argc, argv\);\n`)

// exited is what a timer of a program that has ended would throw on the page.
var exited = regexp.MustCompile(`throw new Error\("Go program has already exited"\);`)

func trim(support, wasm []byte) []byte {
	support = exited.ReplaceAll(support, []byte("return;"))
	support = environment.ReplaceAll(support, []byte("\t\t\tthis._inst.exports.run(0, 4096);\n"))
	for _, part := range unused {
		support = part.ReplaceAll(support, nil)
	}
	return hostCall.ReplaceAllFunc(support, func(call []byte) []byte {
		name := hostCall.FindSubmatch(call)[1]
		// As an import section has it: each name behind its length.
		if imported := append([]byte("\x04gojs"+string(rune(len(name)))), name...); bytes.Contains(wasm, imported) {
			return call
		}
		return nil
	})
}
