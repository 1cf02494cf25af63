// Package crc32 replaces hash/crc32 in iot.wasm. The event streams of the AWS SDK name it. The real package computes tables of
// 8 kB, which hardly compress.
package crc32

import (
	"errors"
	"hash"
)

// IEEE is the polynomial of Ethernet.
const IEEE = 0xedb88320

// A Table has no content.
type Table struct{}

// MakeTable returns an empty table.
func MakeTable(uint32) *Table { return &Table{} }

// New returns a hash whose Write returns an error.
func New(*Table) hash.Hash32 { return none{} }

var errNotInWasm = errors.New("hash/crc32 is not in iot.wasm: internal/build/overlay replaces it")

type none struct{}

func (none) Write([]byte) (int, error) { return 0, errNotInWasm }
func (none) Sum(b []byte) []byte       { return b }
func (none) Sum32() uint32             { return 0 }
func (none) Reset()                    {}
func (none) Size() int                 { return 4 }
func (none) BlockSize() int            { return 1 }
