package bridge

import (
	"fmt"
	"math"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// A Value is an object that the page passes to an operation. JavaScript has checked
// the types of its members and copied them. A member that is absent has the zero
// value.
type Value interface {
	// Text returns a string, and whether it is present.
	Text(name string) (text string, ok bool)
	// Number returns a number, and whether it is present.
	Number(name string) (n float64, ok bool)
	// Flag returns a boolean, and whether it is present.
	Flag(name string) (flag, ok bool)
	// Bytes returns a copy of a Uint8Array, nil if it is absent.
	Bytes(name string) []byte
	// Pairs returns a list of pairs of strings.
	Pairs(name string) []mqtt.UserPair
	// Object returns an object, and whether it is present.
	Object(name string) (v Value, ok bool)
}

// str returns a string member.
func str(v Value, name string) string {
	s, _ := v.Text(name)
	return s
}

// is returns a boolean member.
func is(v Value, name string) bool {
	flag, _ := v.Flag(name)
	return flag
}

// number returns a number as a whole number between the bounds of an int32.
func number(v Value, name string) int {
	n, _ := v.Number(name)
	return int(max(math.MinInt32, min(n, math.MaxInt32)))
}

// setInt sets p to a number, if it is present.
func setInt(p *int, v Value, name string) {
	if n, ok := v.Number(name); ok {
		*p = int(max(math.MinInt32, min(n, math.MaxInt32)))
	}
}

// setUint32 sets p to a number, if it is present. A number beyond the bounds of a
// uint32 is an error of the call, which names the member as in path.
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

// setDuration sets p to a number of milliseconds, if it is present.
func setDuration(p *time.Duration, v Value, name string) {
	if ms, ok := v.Number(name); ok {
		*p = duration(ms)
	}
}
