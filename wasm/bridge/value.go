package bridge

import (
	"fmt"
	"math"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// A Value is an object that JavaScript passes to an operation. JavaScript has checked
// the types of its members and copied them. Each method returns the member of that
// name. ok is false if the object has no such member, or one of another type. The
// result is then the zero value.
type Value interface {
	// Text returns a string.
	Text(name string) (text string, ok bool)
	// Number returns a number.
	Number(name string) (n float64, ok bool)
	// Flag returns a boolean.
	Flag(name string) (flag, ok bool)
	// Bytes returns a copy of a Uint8Array, or nil.
	Bytes(name string) []byte
	// Pairs returns an array of pairs of strings, or nil.
	Pairs(name string) []mqtt.UserPair
	// Object returns an object.
	Object(name string) (v Value, ok bool)
}

// str returns a string member, or "".
func str(v Value, name string) string {
	s, _ := v.Text(name)
	return s
}

// isTrue reports whether a boolean member is present and true.
func isTrue(v Value, name string) bool {
	flag, _ := v.Flag(name)
	return flag
}

// integer returns a number member, or 0. It rounds towards zero, and limits the result
// to the range of an int32.
func integer(v Value, name string) (i int) {
	setInt(&i, v, name)
	return i
}

// setInt sets p as integer does, if the member is present.
func setInt(p *int, v Value, name string) {
	if n, ok := v.Number(name); ok {
		*p = int(max(math.MinInt32, min(n, math.MaxInt32)))
	}
}

// setUint32 sets p to a number member, if it is present, and reports whether it is. If
// the number is not in the range of a uint32, setUint32 panics with an error that
// [readArgument] returns. The error names the member by path.
func setUint32(p *uint32, v Value, name, path string) (present bool) {
	n, ok := v.Number(name)
	if !ok {
		return false
	}
	if n < 0 || n > math.MaxUint32 {
		panic(&client.Error{Class: client.RangeError, Code: "ERR_OPTION", Message: fmt.Sprintf("%s is %v; it must be between 0 and 4,294,967,295", path, n)})
	}
	*p = uint32(n)
	return true
}

// setDuration sets p to a number member, if it is present. The member is in ms.
func setDuration(p *time.Duration, v Value, name string) {
	if ms, ok := v.Number(name); ok {
		*p = duration(ms)
	}
}
