// Package jsontext contains what the services of the local AWS IoT Core do with JSON texts.
package jsontext

import (
	"bytes"
	"encoding/json"
)

// Encode encodes a value without a final line break, and without escapes for HTML. It panics if the type of
// the value cannot be encoded.
func Encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Nesting returns the deepest nesting of objects and arrays in a JSON text. The text may be invalid.
func Nesting(text []byte) (deepest int) {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
