// Package secret holds text that must not appear in output: passwords, secret
// access keys, tokens, and URLs that contain one.
package secret

import "fmt"

// A String is a secret text. fmt with any verb, encoding/json, log/slog, and other
// encoders that call MarshalText write "[redacted]" in its place. [String.Reveal]
// returns the text. The zero value is the empty text.
//
// Do not use a String as a key of a map: encoding/json does not redact keys.
type String string

const redacted = "[redacted]"

// Reveal returns the text.
func (s String) Reveal() string { return string(s) }

// String returns "[redacted]".
func (s String) String() string { return redacted }

// GoString returns "[redacted]".
func (s String) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]".
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }
