package wasmfile

import (
	"encoding/binary"
	"fmt"
)

// A Global is a global variable of a module.
type Global struct {
	kind, mutable byte
	Value         int64 // the initial value
}

// valueTypes maps the types of globals to the opcodes of their values.
var valueTypes = map[byte]byte{0x7f: opI32Const, 0x7e: opI64Const}

// GlobalName returns the name of an export of ExportGlobals.
func GlobalName(prefix string, index int) string { return fmt.Sprintf("%s%d", prefix, index) }

// Globals returns the globals. The types of all must be i32 or i64.
func (m *Module) Globals() ([]Global, error) {
	s, err := m.find(globalSection)
	if err != nil {
		return nil, err
	}
	r := reader{s.body, nil}
	list := make([]Global, 0, 8)
	for range r.number() {
		g := Global{kind: r.byte(), mutable: r.byte()}
		op, ok := valueTypes[g.kind]
		if !ok {
			return nil, ErrFormat
		}
		g.Value = r.constant(op)
		if r.err != nil {
			return nil, r.err
		}
		list = append(list, g)
	}
	if len(r.rest) > 0 {
		return nil, ErrFormat
	}
	return list, nil
}

// SetGlobals replaces the globals by a changed result of Globals.
func (m *Module) SetGlobals(list []Global) error {
	s, err := m.find(globalSection)
	if err != nil {
		return err
	}
	s.body = binary.AppendUvarint(nil, uint64(len(list)))
	for _, g := range list {
		s.body = append(s.body, g.kind, g.mutable)
		s.body = appendConstant(s.body, valueTypes[g.kind], g.Value)
	}
	return nil
}
