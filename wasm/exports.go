//go:build js && wasm

// staticcheck does not find calls from JavaScript.
//lint:file-ignore U1000 JavaScript calls these functions

package main

import (
	"unsafe"
)

// JavaScript calls these functions often. Each function except headerAddress calls
// the method of the same name of [bridge.Bridge], which documents the parameters.

// headerAddress returns the address of the header, which never changes.
//
//go:wasmexport iot_header
func headerAddress() uint32 { return uint32(uintptr(unsafe.Pointer(&boundary.Header))) }

//go:wasmexport iot_input
func input(n uint32) uint32 { return boundary.Input(n) }

//go:wasmexport iot_receive
func receive(id, attempt, n, rest uint32, now float64) uint32 {
	return boundary.Receive(id, attempt, n, rest, now)
}

//go:wasmexport iot_publish
func publish(id, token, topicLen, propertiesLen, payloadLen uint32, qos float64, retain uint32, now float64) uint32 {
	return boundary.Publish(id, token, topicLen, propertiesLen, payloadLen, qos, retain, now)
}

//go:wasmexport iot_turn
func turn(id uint32, now, arrival float64, buffered uint32) {
	boundary.Turn(id, now, arrival, buffered)
}

//go:wasmexport iot_flushed
func flushed(id, n uint32, now float64) { boundary.Flushed(id, n, now) }
