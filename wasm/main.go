//go:build js && wasm

// Command wasm is the half of the boundary that needs a browser: functions for
// JavaScript to call, and the conversion of JavaScript's objects. Package bridge is
// the other half.
//
// No call waits: a call from JavaScript that waits destroys the module.
package main

import (
	"math/rand/v2"
	"syscall/js"

	"iot.wasm/wasm/bridge"
)

// version is set by the build. JavaScript compares it with its own.
var version = "unstamped"

var page = bridge.New(rand.Float64)

func main() {
	// The loader has put the object iotBridge into the global object that only Go
	// sees. Its function start takes what JavaScript needs of Go.
	js.Global().Get("iotBridge").Call("start", version, js.FuncOf(call))
	select {}
}

// call runs an operation: its name, the client's id, the time, and the argument.
func call(_ js.Value, args []js.Value) any {
	return page.Call(args[0].String(), uint32(args[1].Int()), args[2].Float(), object{args[3]})
}
