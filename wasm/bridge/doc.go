// Package bridge connects the JavaScript of a page to the clients. It decodes the calls
// of JavaScript, and encodes the results and the events of the clients as records of
// package abi. It is portable: native tests run it without a browser.
//
// The calls of the hot path are Receive, Publish, Turn and Flushed. Their arguments are
// numbers, and bytes in the memory of the wasm. All other calls are operations: each
// has a name, and one object with named members as its argument. No call blocks.
package bridge
