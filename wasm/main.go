//go:build js && wasm

// Command wasm connects package bridge to JavaScript. It exports the functions that
// JavaScript calls, and converts JavaScript objects. It contains all code that
// imports syscall/js.
//
// A function that JavaScript calls must not block, because a blocked call destroys
// the Go program.
package main

import (
	"math/rand/v2"
	"syscall/js"

	"iot.wasm/wasm/bridge"
)

// boundary contains the clients of the page.
var boundary = bridge.New(rand.Float64)

func main() {
	// wasm_exec.js gives Go a private global object, in which the loader has set
	// functions. The loader reads the function for operations from this array.
	js.Global().Get("functions").Call("push", js.FuncOf(call))
	select {}
}

// call runs an operation. Its arguments are the operation's name, the client's id,
// the time (performance.now(), in ms), and the argument of the operation.
func call(_ js.Value, args []js.Value) any {
	return boundary.Call(args[0].String(), uint32(args[1].Int()), args[2].Float(), object{args[3]})
}
