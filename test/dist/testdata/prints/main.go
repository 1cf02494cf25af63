// Command prints prints by the runtime, which is the only output that wasm_exec.js supports,
// and panics.
package main

import "os"

func main() {
	print("by the ", "runtime\n")
	if _, err := os.Open("/nothing"); err != nil {
		println(err.Error())
	}
	panic("at last")
}
