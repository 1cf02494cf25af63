// Command prints uses the functions print and println of the Go runtime, and then panics. The
// wasm_exec.js of "make wasm" supports no other output.
package main

import "os"

func main() {
	print("by the ", "runtime\n")
	if _, err := os.Open("/nothing"); err != nil {
		println(err.Error())
	}
	panic("at last")
}
