// Package abi defines the layout of the data that Go and JavaScript exchange through
// the memory of the wasm: the header, the records, and the JSON objects of effects.
//
//   - A token is a number that JavaScript assigns to a pending promise.
//   - A record is a list of words that reports one event to JavaScript.
//   - An effect is a rare event, or a request to JavaScript, for example to open a
//     socket. Its record refers to a JSON object.
//
// An address is the position of a byte in the memory of the wasm. Addresses and
// lengths are 32-bit words. Lengths are in bytes unless stated otherwise.
//
// www/iot/abi.js contains the same constants, and the only code in JavaScript that
// reads records. A test fails if the constants of Go and JavaScript differ.
package abi
