// Package godebug replaces internal/godebug in iot.wasm. The standard library reads settings of the variable GODEBUG with
// it. A page has no environment, so each setting has its default.
package godebug

// A Setting has no value.
type Setting struct{ name string }

// New returns a setting.
func New(name string) *Setting { return &Setting{name} }

// Name returns the name of the setting.
func (s *Setting) Name() string { return s.name }

// Undocumented returns false.
func (s *Setting) Undocumented() bool { return false }

// String returns the name and the empty value.
func (s *Setting) String() string { return s.name + "=" }

// Value returns "": the default.
func (s *Setting) Value() string { return "" }

// IncNonDefault does nothing.
func (s *Setting) IncNonDefault() {}
