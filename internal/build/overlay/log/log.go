// Package log replaces the package log in iot.wasm. The logging of the AWS SDK names its Logger. The program does not
// switch that logging on.
//
// A Logger writes nothing.
package log

import "io"

// LstdFlags is as in log.
const LstdFlags = 3

// A Logger writes nothing.
type Logger struct{}

// New returns a Logger that writes nothing.
func New(io.Writer, string, int) *Logger { return new(Logger) }

// Printf writes nothing.
func (*Logger) Printf(string, ...any) {}
