//go:build js && wasm

// Command wasm is the boundary between www/iot.js and the packages client, mqtt
// and sigv4. It converts, and decides nothing.
//
// What is hot (bytes in, publish out, the end of a turn) comes through
// //go:wasmexport and goes back through a block of memory that JavaScript reads
// (turn.go). What is rare comes through one js.Func (calls.go). Both run to
// their end without ever waiting: to block inside a call from JavaScript would
// destroy the module.
package main

import (
	"math/rand/v2"
	"syscall/js"
	"time"

	"iot.wasm/wasm/client"
)

// version is stamped in by the build, from www/iot.js and the sources; the
// loader compares it with its own.
var version = "unstamped"

// bridge is the object by which JavaScript and this program know each other. It
// is not on the page: the loader puts it into the private global object that it
// gives to Go.
var bridge = js.Global().Get("iotBridge")

var (
	clients = map[uint32]*client.Client{}
	lastID  uint32
)

func newClient() uint32 {
	lastID++
	clients[lastID] = client.New(host{}, rand.Float64)
	return lastID
}

// clock turns performance.now() into the clients' time.
func clock(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func main() {
	bridge.Set("version", version)
	bridge.Set("call", js.FuncOf(call)) // lives as long as the program
	select {}
}
