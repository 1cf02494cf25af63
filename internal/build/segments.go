package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// dataSection is the number of the data section of a wasm module. The segments of this
// section initialise the memory.
const dataSection = 11

// joinGap is the largest gap between two segments, in bytes, that join fills with zeros.
// For a larger gap, the header of a separate segment takes fewer bytes.
const joinGap = 32

// segment is one segment of the data section.
type segment struct {
	at   uint32 // address in the memory
	data []byte
}

var errModule = errors.New("the wasm does not have the form that Go's linker writes")

// joinSegments joins the data segments of a module that Go's linker has written.
//
// The linker omits each run of eight zeros from the data and starts a new segment
// after it. The runtime's function table becomes tens of thousands of segments of two
// bytes, each with a header of eight bytes that hardly compresses. With joined
// segments the file is a tenth larger, but the compressed file is a twentieth smaller,
// and the module starts faster.
func joinSegments(module []byte) ([]byte, error) {
	if len(module) < 8 {
		return nil, errModule
	}
	out := slices.Clone(module[:8])
	for rest := module[8:]; len(rest) > 0; {
		n, used := binary.Uvarint(rest[1:])
		if used <= 0 || n > uint64(len(rest)-1-used) {
			return nil, errModule
		}
		whole, body := rest[:1+used+int(n)], rest[1+used:1+used+int(n)]
		rest = rest[len(whole):]
		if whole[0] != dataSection {
			out = append(out, whole...)
			continue
		}
		segments, err := readSegments(body)
		if err != nil {
			return nil, err
		}
		body = appendSegments(nil, join(segments))
		out = append(out, dataSection)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// readSegments decodes a data section. The address of each segment must be an i32.const.
func readSegments(b []byte) ([]segment, error) {
	count, used := binary.Uvarint(b)
	if used <= 0 || count > uint64(len(b)) {
		return nil, errModule
	}
	b = b[used:]
	list := make([]segment, count)
	for i := range list {
		var ok bool
		if b, ok = bytes.CutPrefix(b, []byte{0, opI32Const}); !ok {
			return nil, errModule
		}
		at, used := readSigned(b)
		if used == 0 || used == len(b) || b[used] != opEnd {
			return nil, errModule
		}
		b = b[used+1:]
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, errModule
		}
		list[i] = segment{at, b[used : used+int(n)]}
		b = b[used+int(n):]
	}
	if len(b) > 0 {
		return nil, errModule
	}
	return list, nil
}

// join joins segments whose distance is at most joinGap.
func join(list []segment) (joined []segment) {
	slices.SortFunc(list, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for _, s := range list {
		if len(joined) > 0 {
			last := &joined[len(joined)-1]
			end := last.at + uint32(len(last.data))
			if gap := s.at - end; s.at >= end && gap <= joinGap {
				last.data = append(append(last.data, make([]byte, gap)...), s.data...)
				continue
			}
		}
		joined = append(joined, segment{s.at, slices.Clone(s.data)})
	}
	return joined
}

// appendSegments encodes a data section.
func appendSegments(b []byte, list []segment) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = append(b, 0, opI32Const)
		b = appendSigned(b, int32(s.at))
		b = append(b, opEnd)
		b = binary.AppendUvarint(b, uint64(len(s.data)))
		b = append(b, s.data...)
	}
	return b
}

// Opcodes of the expression that gives the address of a segment.
const (
	opI32Const = 0x41
	opEnd      = 0x0b
)

// readSigned decodes a signed LEB128 number of 32 bits. Its format differs from that of
// binary.Varint. used is 0 if b ends within the number, or if the number is too long.
func readSigned(b []byte) (v uint32, used int) {
	for shift := 0; used < len(b) && shift < 35; shift += 7 {
		c := b[used]
		used++
		v |= uint32(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift < 25 {
				v |= ^uint32(0) << (shift + 7)
			}
			return v, used
		}
	}
	return 0, 0
}

// appendSigned encodes a signed LEB128 number.
func appendSigned(b []byte, v int32) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
