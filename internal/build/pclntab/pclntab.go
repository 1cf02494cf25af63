// Package pclntab removes from a Go program what only stack traces need: the names of the
// functions, the names of the source files, and the line numbers. They are a part of
// the table of functions, which the package runtime describes in symtab.go. The garbage
// collector and recover() need the rest of the table.
//
// A stack trace of a stripped program has frames without names. A program of the build with
// -snapshot=false has all of them.
package pclntab

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// errFormat reports that the table has another form than that of Go 1.26.
var errFormat = errors.New("the table of functions (runtime.pclntab) has an unknown form: see package internal/build/pclntab")

// magic begins the table: its version, two zeros, the size of instructions, and the size of pointers.
var magic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// Offsets in the header of the table: the type pcHeader.
const (
	headerFunctions = 8 // the number of functions
	headerNames     = 32
	headerUnits     = 40 // the files of the compilation units
	headerFiles     = 48
	headerValues    = 56 // the tables that map program counters to values
	headerFunctab   = 64
	headerSize      = 72
)

// Offsets in the type moduledata.
const (
	moduleHeader  = 0
	moduleNames   = 8
	moduleValues  = 80
	moduleFunctab = 128 // a slice of pairs: the entry of a function, the offset of its description
	moduleBuckets = 152 // findfunctab
	moduleMinPC   = 160
	moduleMaxPC   = 168
	moduleSize    = 176
)

// Offsets in the description of a function: the type _func.
const (
	funcName      = 4
	funcValues    = 16 // pcsp, pcfile, pcln
	funcNumbers   = 28 // the number of further tables of values
	funcUnit      = 32
	funcStartLine = 36
	funcData      = 43 // the number of data
	funcSize      = 44
	functabEntry  = 8
	valuesOfStack = 0 // the index of pcsp in funcValues
	unsafePoint   = 0 // internal/abi.PCDATA_UnsafePoint
	argLive       = 3 // internal/abi.PCDATA_ArgLiveIndex
	argInfo       = 5 // internal/abi.FUNCDATA_ArgInfo
	argLiveInfo   = 6 // internal/abi.FUNCDATA_ArgLiveInfo
)

// The table findfunctab maps program counters to indexes of functions. A bucket contains an index, and a number that is
// added to it for each of its parts.
const (
	bucketIndex     = 4
	bucketSize      = bucketIndex + bucketRange/partRange // the type findfuncbucket
	bucketRange     = 4096                                // internal/abi.FuncTabBucketSize: program counters in a bucket
	partRange       = 256
	functionBuckets = 65536 / bucketRange // a program counter is the index of a function << 16
)

// table gives access to the table in the memory of a program.
type table struct {
	memory  []byte
	base    int    // the address of the header
	count   int    // the number of functions
	buckets []byte // findfunctab
}

// Strip removes these parts from the memory of a program, before or after its start. It replaces the parts by zeros, and
// the references to them by the values for "none".
//
// It also replaces findfunctab by zeros. The program then finds functions by a linear search, until it has restored
// findfunctab: see internal/build/overlay/runtime.
func Strip(memory []byte) error {
	t, err := find(memory)
	if err != nil {
		return err
	}
	used := make([]bool, t.word(headerFunctab)-t.word(headerValues))
	for i := range t.count {
		if err := t.stripFunction(i, used); err != nil {
			return err
		}
	}
	values := t.base + t.word(headerValues)
	for i, keep := range used {
		if !keep {
			memory[values+i] = 0
		}
	}
	clear(memory[t.base+t.word(headerNames) : values]) // names, units and files
	want := make([]byte, len(t.buckets))
	for i := range (len(want) + bucketSize - 1) / bucketSize {
		binary.LittleEndian.PutUint32(want[i*bucketSize:], uint32(i/functionBuckets))
	}
	if !bytes.Equal(t.buckets, want) {
		return errFormat // the program would restore another table
	}
	clear(t.buckets)
	return nil
}

// find finds the table in the memory, and checks that the parts of it are where they are expected.
func find(memory []byte) (*table, error) {
	base := bytes.Index(memory, magic)
	if base < 0 || len(memory)-base < headerSize {
		return nil, errFormat
	}
	t := &table{memory: memory, base: base}
	t.count = t.word(headerFunctions)
	order := []int{headerSize, t.word(headerNames), t.word(headerUnits), t.word(headerFiles), t.word(headerValues), t.word(headerFunctab), len(memory) - base - t.count*functabEntry}
	for i := range len(order) - 1 {
		if order[i] > order[i+1] || order[i] < 0 {
			return nil, errFormat
		}
	}
	// The variable firstmoduledata contains the address of the header, and those of its parts.
	start := binary.LittleEndian.AppendUint64(nil, uint64(base))
	start = binary.LittleEndian.AppendUint64(start, uint64(base+t.word(headerNames)))
	module := bytes.Index(memory, start)
	if module < 0 || len(memory)-module < moduleSize {
		return nil, errFormat
	}
	field := func(offset int) int { return int(binary.LittleEndian.Uint64(memory[module+offset:])) }
	if field(moduleValues) != base+t.word(headerValues) || field(moduleFunctab) != base+t.word(headerFunctab) {
		return nil, errFormat
	}
	// The last bucket has only as many bytes as it needs.
	counters := field(moduleMaxPC) - field(moduleMinPC)
	buckets, size := field(moduleBuckets), (counters+bucketRange-1)/bucketRange*bucketIndex+(counters+partRange-1)/partRange
	if counters <= 0 || size < 0 || buckets < 0 || buckets > len(memory)-size {
		return nil, errFormat
	}
	t.buckets = memory[buckets : buckets+size]
	return t, nil
}

// word returns a word of the header.
func (t *table) word(offset int) int {
	return int(binary.LittleEndian.Uint64(t.memory[t.base+offset:]))
}

// stripFunction strips the description of a function. It marks the bytes of the tables of values that are still needed.
func (t *table) stripFunction(index int, used []bool) error {
	functab := t.memory[t.base+t.word(headerFunctab):]
	at := int(binary.LittleEndian.Uint32(functab[index*functabEntry+4:]))
	if at > len(functab)-funcSize {
		return errFormat
	}
	f := functab[at:]
	tables, data := int(binary.LittleEndian.Uint32(f[funcNumbers:])), int(f[funcData])
	if tables > 16 || len(f) < funcSize+4*(tables+data) {
		return errFormat
	}
	put := func(offset int, v uint32) { binary.LittleEndian.PutUint32(f[offset:], v) }
	put(funcName, 0)
	put(funcUnit, 0)
	put(funcStartLine, 0)
	for i := range 3 {
		if i != valuesOfStack {
			put(funcValues+4*i, 0)
		}
	}
	for _, i := range []int{unsafePoint, argLive} {
		if i < tables {
			put(funcSize+4*i, 0)
		}
	}
	for _, i := range []int{argInfo, argLiveInfo} {
		if i < data {
			put(funcSize+4*(tables+i), ^uint32(0))
		}
	}
	kept := []int{funcValues + 4*valuesOfStack}
	for i := range tables {
		kept = append(kept, funcSize+4*i)
	}
	for _, offset := range kept {
		if !mark(used, t.memory[t.base+t.word(headerValues):], binary.LittleEndian.Uint32(f[offset:])) {
			return errFormat
		}
	}
	return nil
}

// mark marks the bytes of the table of values at an offset. The table contains pairs of variable-length numbers,
// the differences of the value and of the program counter, and ends with a zero after the first pair.
func mark(used []bool, values []byte, offset uint32) bool {
	if offset == 0 { // no table
		return true
	}
	at := int(offset)
	next := func() (v uint64, ok bool) {
		if at >= len(used) {
			return 0, false
		}
		v, n := binary.Uvarint(values[at:len(used)])
		for i := range max(n, 0) {
			used[at+i] = true
		}
		at += n
		return v, n > 0
	}
	for first := true; ; first = false {
		v, ok := next()
		if !ok {
			return false
		}
		if v == 0 && !first {
			return true
		}
		if _, ok := next(); !ok {
			return false
		}
	}
}
