// Package json replaces encoding/json in iot.wasm. The event streams and the documents of the AWS SDK name it. The client writes
// its JSON with wasm/abi.
//
// Each function returns an error.
package json

import (
	"errors"
	"io"
)

var errNotInWasm = errors.New("encoding/json is not in iot.wasm: internal/build/overlay replaces it")

// A Marshaler encodes itself.
type Marshaler interface {
	MarshalJSON() ([]byte, error)
}

// A Number is the text of a number.
type Number string

// String returns the text.
func (n Number) String() string { return string(n) }

// Float64 returns an error.
func (n Number) Float64() (float64, error) { return 0, errNotInWasm }

// Int64 returns an error.
func (n Number) Int64() (int64, error) { return 0, errNotInWasm }

// Marshal returns an error.
func Marshal(any) ([]byte, error) { return nil, errNotInWasm }

// Unmarshal returns an error.
func Unmarshal([]byte, any) error { return errNotInWasm }

// A RawMessage is encoded JSON.
type RawMessage []byte

// A Decoder decodes nothing.
type Decoder struct{}

// NewDecoder returns a decoder.
func NewDecoder(io.Reader) *Decoder { return &Decoder{} }

// UseNumber does nothing.
func (*Decoder) UseNumber() {}

// Decode returns an error.
func (*Decoder) Decode(any) error { return errNotInWasm }

// An Encoder encodes nothing.
type Encoder struct{}

// NewEncoder returns an encoder.
func NewEncoder(io.Writer) *Encoder { return &Encoder{} }

// Encode returns an error.
func (*Encoder) Encode(any) error { return errNotInWasm }
