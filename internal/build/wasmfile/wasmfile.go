// Package wasmfile reads and changes WebAssembly modules in the binary format
// (https://webassembly.github.io/spec/core/binary/). It supports what Go's linker writes.
package wasmfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// The numbers of the sections that this package decodes.
const (
	customSection = 0
	memorySection = 5
	globalSection = 6
	exportSection = 7
	dataSection   = 11
)

// Opcodes of constant expressions.
const (
	opI32Const = 0x41
	opI64Const = 0x42
	opEnd      = 0x0b
)

// PageSize is the unit of the size of a memory, in bytes.
const PageSize = 1 << 16

var (
	header = []byte("\x00asm\x01\x00\x00\x00")
	// ErrFormat reports that a module has another form than Go's linker writes.
	ErrFormat = errors.New("the wasm does not have the form that Go's linker writes")
)

// A Module is a list of sections.
type Module struct {
	sections []section
}

type section struct {
	id   byte
	body []byte
}

// Parse splits a module into its sections. It does not copy the bytes.
func Parse(b []byte) (*Module, error) {
	rest, ok := bytes.CutPrefix(b, header)
	if !ok {
		return nil, ErrFormat
	}
	m := &Module{}
	for len(rest) > 0 {
		s := section{id: rest[0]}
		r := reader{rest[1:], nil}
		s.body = r.bytes()
		if rest = r.rest; r.err != nil {
			return nil, r.err
		}
		m.sections = append(m.sections, s)
	}
	return m, nil
}

// Bytes encodes the module.
func (m *Module) Bytes() []byte {
	b := slices.Clone(header)
	for _, s := range m.sections {
		b = append(b, s.id)
		b = appendBytes(b, s.body)
	}
	return b
}

// Clone returns a copy whose sections can be replaced.
func (m *Module) Clone() *Module { return &Module{slices.Clone(m.sections)} }

// find returns the section with this number. Go's linker writes all sections that this
// package decodes.
func (m *Module) find(id byte) (*section, error) {
	for i := range m.sections {
		if m.sections[i].id == id {
			return &m.sections[i], nil
		}
	}
	return nil, ErrFormat
}

// AddCustom adds a custom section.
func (m *Module) AddCustom(name string, data []byte) {
	m.sections = append(m.sections, section{customSection, append(appendBytes(nil, []byte(name)), data...)})
}

// SetMemory sets the initial size of the memory, in pages.
func (m *Module) SetMemory(pages uint32) error {
	s, err := m.find(memorySection)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(s.body, []byte{1, 0}) { // one memory without a maximum
		return ErrFormat
	}
	s.body = binary.AppendUvarint([]byte{1, 0}, uint64(pages))
	return nil
}

// ExportGlobals adds an export for each global. The name of a global is the prefix and its index.
func (m *Module) ExportGlobals(prefix string) error {
	globals, err := m.Globals()
	if err != nil {
		return err
	}
	s, err := m.find(exportSection)
	if err != nil {
		return err
	}
	r := reader{s.body, nil}
	count := r.number()
	body := binary.AppendUvarint(nil, count+uint64(len(globals)))
	body = append(body, r.rest...)
	for i := range globals {
		body = appendBytes(body, []byte(GlobalName(prefix, i)))
		body = append(body, 3) // the kind of a global
		body = binary.AppendUvarint(body, uint64(i))
	}
	s.body = body
	return r.err
}

// reader decodes a section. After an error, all results are zero.
type reader struct {
	rest []byte
	err  error
}

// number decodes an unsigned number.
func (r *reader) number() uint64 {
	n, used := binary.Uvarint(r.rest)
	if used <= 0 || r.err != nil {
		r.fail()
		return 0
	}
	r.rest = r.rest[used:]
	return n
}

// bytes decodes a number, and returns that many bytes after it.
func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// byte decodes a byte.
func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// constant decodes a constant expression: a number with the opcode op, and the end.
func (r *reader) constant(op byte) int64 {
	if r.byte() != op {
		r.fail()
		return 0
	}
	v, used := readSigned(r.rest)
	if used == 0 || r.err != nil {
		r.fail()
		return 0
	}
	r.rest = r.rest[used:]
	if r.byte() != opEnd {
		r.fail()
		return 0
	}
	return v
}

func (r *reader) fail() {
	r.rest, r.err = nil, ErrFormat
}

// appendBytes encodes the length of data, and data.
func appendBytes(b, data []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

// appendConstant encodes a constant expression.
func appendConstant(b []byte, op byte, v int64) []byte {
	return append(appendSigned(append(b, op), v), opEnd)
}

// readSigned decodes a signed LEB128 number. Its format differs from that of
// binary.Varint. used is 0 if b ends within the number, or if the number is too long.
func readSigned(b []byte) (v int64, used int) {
	for shift := 0; used < len(b) && shift < 64; shift += 7 {
		c := b[used]
		used++
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift < 57 {
				v |= -1 << (shift + 7)
			}
			return v, used
		}
	}
	return 0, 0
}

// appendSigned encodes a signed LEB128 number.
func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
