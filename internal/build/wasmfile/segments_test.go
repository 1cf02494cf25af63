package wasmfile

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
)

func TestSigned(t *testing.T) {
	for _, v := range []int32{0, 1, -1, 63, 64, -64, -65, 8191, 1 << 20, math.MaxInt32, math.MinInt32} {
		b := appendSigned(nil, int64(v))
		got, used := readSigned(append(slices.Clone(b), 0xff))
		if got != int64(v) || used != len(b) {
			t.Errorf("%d is encoded as % x and decoded as %d, %d bytes", v, b, got, used)
		}
	}
	if _, used := readSigned([]byte{0x80, 0x80}); used != 0 {
		t.Error("a truncated number is decoded")
	}
}

// module returns a module with a data section of these segments.
func module(list ...segment) []byte {
	body := appendSegments(nil, list)
	b := append(bytes.Clone(header), 1, 1, 0) // an empty type section
	b = append(b, dataSection, byte(len(body)))
	return append(b, body...)
}

func TestJoinSegments(t *testing.T) {
	join := func(b []byte) ([]byte, error) {
		m, err := Parse(b)
		if err != nil {
			return nil, err
		}
		err = m.JoinSegments()
		return m.Bytes(), err
	}
	far := uint32(2 + joinGap)
	got, err := join(module(segment{far + 4, []byte{5}}, segment{0, []byte{1, 2}}, segment{far, []byte{3}}, segment{0xffff0000, []byte{6}}))
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat([]byte{1, 2}, make([]byte, joinGap), []byte{3, 0, 0, 0, 5})
	if want := module(segment{0, whole}, segment{0xffff0000, []byte{6}}); !bytes.Equal(got, want) {
		t.Errorf("joined to % x,\nwant % x", got, want)
	}
	for name, b := range map[string][]byte{
		"empty":                      nil,
		"no data section":            bytes.Clone(header),
		"truncated":                  module(segment{0, []byte{1, 2}})[:14],
		"another address expression": append(bytes.Clone(header), dataSection, 2, 1, 1),
		"too many bytes":             append(bytes.Clone(header), dataSection, 2, 0, 1),
		"too few segments":           append(bytes.Clone(header), dataSection, 1, 9),
	} {
		if _, err := join(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMemoryContent checks that the segments of SetMemoryContent contain the memory, and omit long runs of zeros.
func TestMemoryContent(t *testing.T) {
	content := slices.Concat(make([]byte, 5), []byte{1, 0, 2}, make([]byte, joinGap), []byte{3}, make([]byte, joinGap+1), []byte{4, 0})
	m, err := Parse(module())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetMemoryContent(content); err != nil {
		t.Fatal(err)
	}
	n := 5 + 3 + joinGap + 1
	if want := module(segment{5, content[5:n]}, segment{uint32(n + joinGap + 1), []byte{4}}); !bytes.Equal(m.Bytes(), want) {
		t.Errorf("the module is % x,\nwant % x", m.Bytes(), want)
	}
}

func TestGlobals(t *testing.T) {
	body := []byte{2, 0x7f, 1, opI32Const, 0x80, 0x20, opEnd, 0x7e, 1, opI64Const, 0x7f, opEnd} // 4096 and -1
	m, err := Parse(slices.Concat(header, []byte{globalSection, byte(len(body))}, body, []byte{exportSection, 1, 0}))
	if err != nil {
		t.Fatal(err)
	}
	globals, err := m.Globals()
	if err != nil || len(globals) != 2 || globals[0].Value != 4096 || globals[1].Value != -1 {
		t.Fatalf("the globals are %v, %v", globals, err)
	}
	globals[1].Value = math.MinInt64
	changed := m.Clone()
	if err := errors.Join(changed.SetGlobals(globals), changed.ExportGlobals("g")); err != nil {
		t.Fatal(err)
	}
	if again, err := changed.Globals(); err != nil || again[1].Value != math.MinInt64 || again[0].Value != 4096 {
		t.Errorf("the changed globals are %v, %v", again, err)
	}
	if globals, err := m.Globals(); err != nil || globals[1].Value != -1 {
		t.Errorf("a change of the copy has changed the module: %v, %v", globals, err)
	}
	if want := append([]byte{exportSection, 11, 2, 2, 'g', '0', 3, 0, 2, 'g', '1', 3, 1}, 0)[:13]; !bytes.Contains(changed.Bytes(), want) {
		t.Errorf("% x does not contain the exports % x", changed.Bytes(), want)
	}
}
