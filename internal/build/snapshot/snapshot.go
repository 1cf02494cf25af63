// Package snapshot runs the start of a Go program that was compiled for a browser, and stores
// the state of the started program in a new module.
//
// After the main function has blocked, the whole state of a Go program is in the memory of
// the module, in its globals, and in the table of JavaScript values of wasm_exec.js. The
// stack of WebAssembly is empty. [Take] runs the program until then, in an interpreter with
// the imports of the file imports.go. The data segments of the new module contain the
// memory, its globals have their present values, and the statements of [Snapshot.Script] restore the table.
// A page that loads the new module continues the program, and never runs its start.
//
// The clock and the random bytes of the start are constants, so that each build makes the
// same bytes. The program must replace its random state when the page continues it.
package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"iot.wasm/internal/build/wasmfile"
)

// A Snapshot is a started program.
type Snapshot struct {
	// Memory is the content of the program's memory. It may be changed before a call of Module.
	Memory []byte
	// Prepare is the name of an exported function that the page calls before all others; "": none.
	Prepare string

	module        *wasmfile.Module // has the globals of the program, but not the content of its memory
	values, calls string
}

// Script returns JavaScript statements for the method run of the class Go of wasm_exec.js. They make the tables of the
// object as they are after the start, call Prepare, and repeat the calls that the program has made.
func (s *Snapshot) Script() string {
	prepare := ""
	if s.Prepare != "" {
		prepare = fmt.Sprintf("this._inst.exports.%s();\n", s.Prepare)
	}
	return s.values + prepare + s.calls
}

// globalPrefix begins the names of the exports by which Take reads the globals of the module.
const globalPrefix = "snapshot_global_"

// argc and argv are the arguments of the exported function run: the number of the program's
// arguments, and the address of their list. The memory at this address is zero.
const argc, argv = 0, 4096

// Take runs the program until its main function blocks. global describes the
// JavaScript object that the program gets as its global object.
func Take(module *wasmfile.Module, global Object) (*Snapshot, error) {
	probed := module.Clone()
	if err := probed.ExportGlobals(globalPrefix); err != nil {
		return nil, err
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(ctx)
	program, err := runtime.CompileModule(ctx, probed.Bytes())
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	h := newHost(global)
	if err := h.provide(ctx, runtime, program); err != nil {
		return nil, err
	}
	instance, err := runtime.InstantiateModule(ctx, program, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	if _, err := instance.ExportedFunction("run").Call(ctx, argc, argv); err != nil {
		if h.err != nil {
			err = h.err
		}
		return nil, fmt.Errorf("the program does not start: %w%s", err, h.printed())
	}
	s := &Snapshot{module: module.Clone(), values: h.script(), calls: strings.Join(h.calls, "")}
	return s, s.store(instance)
}

// store reads the memory and the globals of the instance.
func (s *Snapshot) store(instance api.Module) error {
	globals, err := s.module.Globals()
	if err != nil {
		return err
	}
	for i := range globals {
		g := instance.ExportedGlobal(wasmfile.GlobalName(globalPrefix, i))
		globals[i].Value = int64(g.Get())
		if g.Type() == api.ValueTypeI32 {
			globals[i].Value = int64(int32(g.Get()))
		}
	}
	memory := instance.Memory()
	content, ok := memory.Read(0, memory.Size())
	if !ok {
		return errors.New("the memory cannot be read")
	}
	s.Memory = bytes.Clone(content)
	return s.module.SetGlobals(globals)
}

// Module returns a module that contains the started program.
func (s *Snapshot) Module() (*wasmfile.Module, error) {
	m := s.module.Clone()
	pages := uint32(len(s.Memory) / wasmfile.PageSize)
	return m, errors.Join(m.SetMemory(pages), m.SetMemoryContent(s.Memory))
}

// printed returns what the program has printed, as the end of an error text.
func (h *host) printed() string {
	if h.output.Len() == 0 {
		return ""
	}
	return "\nIt has printed:\n" + strings.TrimSpace(h.output.String())
}
