// Package os replaces os in iot.wasm. fmt names the standard streams, and the AWS SDK names variables of the environment
// and files. A page has none of them. The runtime prints a panic itself. The real package brings internal/poll and io/fs into the
// wasm.
package os

import "errors"

var errNotInWasm = errors.New("os is not in iot.wasm: internal/build/overlay replaces it")

// A File cannot be read or written.
type File struct{}

// The standard streams.
var (
	Stdin  = &File{}
	Stdout = &File{}
	Stderr = &File{}
)

// Read returns an error.
func (*File) Read([]byte) (int, error) { return 0, errNotInWasm }

// Write returns an error.
func (*File) Write([]byte) (int, error) { return 0, errNotInWasm }

// ReadFile returns an error.
func ReadFile(string) ([]byte, error) { return nil, errNotInWasm }

// Getenv returns "": a page has no environment.
func Getenv(string) string { return "" }

// LookupEnv reports that the variable does not exist.
func LookupEnv(string) (string, bool) { return "", false }
