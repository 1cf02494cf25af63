// Package big replaces math/big in iot.wasm. The documents and the headers of the AWS SDK name its numbers.
//
// A number has no value. SetString reports that it failed.
package big

// An Accuracy is the rounding error of a number.
type Accuracy int8

// Exact means no error. Int64 does not return it.
const Exact Accuracy = 1

// An Int is an integer.
type Int struct{}

// NewInt returns an integer.
func NewInt(int64) *Int { return &Int{} }

// Int64 returns 0.
func (*Int) Int64() int64 { return 0 }

// SetString returns false.
func (i *Int) SetString(string, int) (*Int, bool) { return i, false }

// String returns "".
func (*Int) String() string { return "" }

// A Float is a floating-point number.
type Float struct{}

// NewFloat returns a number.
func NewFloat(float64) *Float { return &Float{} }

// Mul returns f.
func (f *Float) Mul(*Float, *Float) *Float { return f }

// Int64 returns 0, which is not exact.
func (*Float) Int64() (int64, Accuracy) { return 0, 0 }

// SetString returns false.
func (f *Float) SetString(string) (*Float, bool) { return f, false }

// Text returns "".
func (*Float) Text(byte, int) string { return "" }
