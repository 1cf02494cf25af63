//go:build js && wasm

// staticcheck does not find calls from JavaScript.
//lint:file-ignore U1000 JavaScript calls these functions

package main

import (
	"unsafe"
)

// These functions are the hot path. Each is the method of the same name of
// [bridge.Bridge].

// headerAddress returns the address of the header.
//
//go:wasmexport iot_header
func headerAddress() uint32 { return uint32(uintptr(unsafe.Pointer(&page.Header))) }

//go:wasmexport iot_input
func input(n uint32) uint32 { return page.Input(n) }

//go:wasmexport iot_receive
func receive(id, attempt, n uint32, now float64) { page.Receive(id, attempt, n, now) }

//go:wasmexport iot_publish
func publish(id, token, topicLen, optionsLen, payloadLen uint32, qos float64, retain uint32, now float64) uint32 {
	return page.Publish(id, token, topicLen, optionsLen, payloadLen, qos, retain, now)
}

//go:wasmexport iot_turn
func turn(id uint32, now, arrival float64, buffered uint32) { page.Turn(id, now, arrival, buffered) }

//go:wasmexport iot_flushed
func flushed(id, n uint32, now float64) { page.Flushed(id, n, now) }
