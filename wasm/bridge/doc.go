// Package bridge is the portable half of the boundary between the page and the
// clients. It decodes the operations that the page calls, encodes what the clients
// decide as records of package abi, and decides nothing.
//
// Calls on the hot path (receive, publish, the end of a turn) pass numbers, and
// bytes in the memory of the wasm. Rare calls are operations: each has a name and
// takes one object with named members. No call waits.
package bridge
