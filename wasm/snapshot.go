//go:build js && wasm && snapshot

// staticcheck does not find calls from JavaScript.
//lint:file-ignore U1000 JavaScript calls this function

package main

import _ "unsafe" // for go:linkname

// proceed prepares a program whose start has run in the build (internal/build/snapshot). JavaScript
// calls it once, before all other functions.
//
//go:wasmexport iot_proceed
func proceed() { prepare() }

// prepare is a function that the build adds to package runtime (internal/build/overlay/runtime).
//
//go:linkname prepare
func prepare()
