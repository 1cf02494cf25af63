// Package abi defines the layout of the data that Go and JavaScript exchange
// through the memory of the wasm: the header, the records, and the JSON objects of
// rare effects. www/iot/abi.js holds the same constants and the only reader. A test
// compares the two, so that a change on one side alone fails.
//
// An address is the position of a byte in the memory of the wasm. Addresses and
// lengths are 32-bit words; lengths are in bytes unless stated otherwise.
package abi
