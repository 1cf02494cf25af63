package abi

import (
	"math"
	"strconv"
)

// An Object builds the text of one JSON object, member by member. The zero Object
// is empty. It exists because encoding/json would add 100 kB to the download.
type Object struct{ text []byte }

// Bytes returns the text as JSON. The caller must not add members afterwards.
func (o *Object) Bytes() []byte {
	if len(o.text) == 0 {
		return []byte("{}")
	}
	return append(o.text, '}')
}

// name begins a member.
func (o *Object) name(name string) {
	if len(o.text) == 0 {
		o.text = append(o.text, '{')
	} else {
		o.text = append(o.text, ',')
	}
	o.text = append(appendText(o.text, name), ':')
}

// Text adds a member with a string value. It does not replace invalid UTF-8.
func (o *Object) Text(name, value string) {
	o.name(name)
	o.text = appendText(o.text, value)
}

// Number adds a member with a number. JSON has no infinity and no NaN, so Number
// writes null for them.
func (o *Object) Number(name string, value float64) {
	o.name(name)
	if math.IsInf(value, 0) || math.IsNaN(value) {
		o.text = append(o.text, "null"...)
		return
	}
	o.text = strconv.AppendFloat(o.text, value, 'g', -1, 64)
}

// Flag adds a member with a boolean.
func (o *Object) Flag(name string, value bool) {
	o.name(name)
	o.text = strconv.AppendBool(o.text, value)
}

// Object adds a member with an object.
func (o *Object) Object(name string, value *Object) {
	o.name(name)
	o.text = append(o.text, value.Bytes()...)
}

// Pairs adds a member with an array of n arrays of two strings. pair returns the
// strings of each, from 0 to n-1.
func (o *Object) Pairs(name string, n int, pair func(i int) (string, string)) {
	o.name(name)
	o.text = append(o.text, '[')
	for i := range n {
		if i > 0 {
			o.text = append(o.text, ',')
		}
		first, second := pair(i)
		o.text = append(appendText(append(o.text, '['), first), ',')
		o.text = append(appendText(o.text, second), ']')
	}
	o.text = append(o.text, ']')
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
