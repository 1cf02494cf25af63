package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Nanotime is the clock of the start, in nanoseconds. On a page, the clock of the program
// must continue from here, because the runtime requires that it never goes backwards.
const Nanotime = 1_000_000

// host implements the imports that a start may call, as wasm_exec.js does. A call of another
// import ends the start with an error.
type host struct {
	*values
	calls  []string // statements that repeat the program's calls of JavaScript functions
	output strings.Builder
	err    error // what ended the start
}

func newHost(global Object) *host { return &host{values: newValues(global)} }

// frame gives access to the arguments and the results of an import. Go passes them in its memory.
type frame struct {
	memory api.Memory
	sp     uint32
}

// imports contains the supported imports by their names. The offsets are those of wasm_exec.js.
var imports = map[string]func(h *host, f frame) error{
	"runtime.resetMemoryDataView": func(*host, frame) error { return nil },
	"runtime.nanotime1": func(_ *host, f frame) error {
		f.set(8, Nanotime)
		return nil
	},
	"runtime.getRandomData": func(_ *host, f frame) error {
		for i, b := 0, f.bytes(8); i < len(b); i++ {
			b[i] = byte(i + 1)
		}
		return nil
	},
	"runtime.wasmWrite": func(h *host, f frame) error {
		b, _ := f.memory.Read(uint32(f.get(16)), uint32(f.get(24)))
		h.output.Write(b)
		return nil
	},
	"runtime.wasmExit": func(*host, frame) error { return errors.New("it exits") },
	"syscall/js.stringVal": func(h *host, f frame) error {
		f.set(24, h.reference(strconv.Quote(string(f.bytes(8))), kindString, nil))
		return nil
	},
	"syscall/js.valueGet": func(h *host, f frame) error {
		ref, err := h.get(uint32(f.get(8)), string(f.bytes(16)))
		f.set(32, ref)
		return err
	},
	"syscall/js.valueCall": func(h *host, f frame) error {
		result, err := h.call(uint32(f.get(8)), string(f.bytes(16)), f.words(32))
		f.set(56, result)
		f.memory.WriteByte(f.sp+64, 1) // no exception
		return err
	},
}

// provide adds the imports of the program to the runtime.
func (h *host) provide(ctx context.Context, runtime wazero.Runtime, program wazero.CompiledModule) error {
	module := ""
	var builder wazero.HostModuleBuilder
	for _, f := range program.ImportedFunctions() {
		from, name, _ := f.Import()
		if builder == nil {
			module, builder = from, runtime.NewHostModuleBuilder(from)
		}
		if from != module {
			return fmt.Errorf("the program imports from %s and %s", module, from)
		}
		do := imports[name]
		builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
			err := fmt.Errorf("it calls %s, which the snapshot does not support", name)
			if do != nil {
				err = do(h, frame{m.Memory(), uint32(stack[0])})
			}
			if err != nil {
				h.err = err
				panic(err) // ends the program; Call returns an error
			}
		}), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	if builder == nil {
		return errors.New("the program has no imports")
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// call calls a JavaScript function. It supports the creation of a function that calls Go, and
// functions whose result is undefined. It records the calls of the latter, for [Snapshot.Script].
func (h *host) call(id uint32, name string, args []uint64) (result uint64, err error) {
	this, err := h.text(uint64(nan)<<32 | uint64(id))
	if err != nil {
		return 0, err
	}
	texts := make([]string, len(args))
	for i, arg := range args {
		if texts[i], err = h.text(arg); err != nil {
			return 0, err
		}
	}
	text := fmt.Sprintf("%s.%s(%s)", this, name, strings.Join(texts, ", "))
	if this == "this" && name == "_makeFuncWrapper" {
		return h.reference(text, kindFunction, nil), nil
	}
	if m := h.list[id].member; m == nil || m.Members[name] == nil || !m.Members[name].Function {
		return 0, fmt.Errorf("it calls %s, which the snapshot does not support", text)
	}
	for i, arg := range args {
		if arg>>32&nan == nan {
			texts[i] = fmt.Sprintf("this._values[%d]", uint32(arg))
		}
	}
	h.calls = append(h.calls, fmt.Sprintf("this._values[%d].%s(%s);\n", id, name, strings.Join(texts, ", ")))
	return 0, nil
}

// get reads the number at an offset from the stack pointer.
func (f frame) get(offset uint32) uint64 {
	v, _ := f.memory.ReadUint64Le(f.sp + offset)
	return v
}

// set writes a number.
func (f frame) set(offset uint32, v uint64) { f.memory.WriteUint64Le(f.sp+offset, v) }

// bytes returns the bytes of the string or slice at an offset.
func (f frame) bytes(offset uint32) []byte {
	b, _ := f.memory.Read(uint32(f.get(offset)), uint32(f.get(offset+8)))
	return b
}

// words returns the numbers of the slice at an offset.
func (f frame) words(offset uint32) []uint64 {
	list := make([]uint64, f.get(offset+8))
	for i := range list {
		list[i], _ = f.memory.ReadUint64Le(uint32(f.get(offset)) + uint32(i)*8)
	}
	return list
}
