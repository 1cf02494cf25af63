// Command packages says what is in iot.wasm, by Go package: it builds the wasm
// with its function names, and adds up the code of each package's functions. What
// is not code (the data that functions and the runtime's tables refer to) is one
// line of its own. It is what "make size" runs.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("make size: ")
	tags := flag.String("tags", "nethttpomithttp2", "build tags; lean: those of the lean build")
	functions := flag.String("functions", "", "list the functions of the packages that match this regular expression")
	flag.Parse()
	if err := run(*tags, *functions); err != nil {
		log.Fatal(err)
	}
}

func run(tags, functions string) error {
	list, err := regexp.Compile(functions)
	if err != nil {
		return fmt.Errorf("-functions: %w", err)
	}
	dir, err := os.MkdirTemp("", "iot-size-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "iot.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", out, "./wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	module, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	packages, err := linked(tags)
	if err != nil {
		return err
	}
	code, data, err := measure(module)
	if err != nil {
		return err
	}
	sizes := map[string][2]int{"(data: strings, types, tables)": {data, 0}}
	for name, n := range code {
		p := packageOf(name, packages)
		s := sizes[p]
		sizes[p] = [2]int{s[0] + n, s[1] + 1}
		if functions != "" && list.MatchString(p) {
			fmt.Printf("%8d  %s\n", n, name)
		}
	}
	names := make([]string, 0, len(sizes))
	for p := range sizes {
		names = append(names, p)
	}
	slices.SortFunc(names, func(a, b string) int { return sizes[b][0] - sizes[a][0] })
	fmt.Printf("%9s %9s  %s\n", "bytes", "functions", "package")
	for _, p := range names {
		fmt.Printf("%9d %9d  %s\n", sizes[p][0], sizes[p][1], p)
	}
	return nil
}

// packageOf finds, among packages by the name that the linker gives them in a
// wasm, the one that a function belongs to.
func packageOf(function string, packages map[string]string) string {
	best := ""
	for i, c := range function {
		if c == '.' && packages[function[:i]] != "" {
			best = packages[function[:i]]
		}
	}
	if best == "" {
		return "(made by the linker)"
	}
	return best
}

// linked lists what the wasm is made of.
func linked(tags string) (map[string]string, error) {
	cmd := exec.Command("go", "list", "-deps", "-tags", tags, "./wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	packages := map[string]string{"main": "iot.wasm/wasm"}
	for _, path := range strings.Fields(string(out)) {
		packages[strings.ReplaceAll(path, "/", "_")] = path
	}
	return packages, nil
}

const (
	customSection = 0
	importSection = 2
	codeSection   = 10
	dataSection   = 11
	functionNames = 1
)

// measure adds up a module's code by function name, and its data.
func measure(module []byte) (code map[string]int, data int, err error) {
	if !bytes.HasPrefix(module, []byte("\x00asm")) {
		return nil, 0, errors.New("not a wasm module")
	}
	var bodies []int
	var names map[int]string
	imported := 0
	r := &reader{module[8:]}
	for len(r.b) > 0 {
		id := r.take(1)[0]
		s := &reader{r.take(r.number())}
		switch id {
		case importSection:
			imported = s.number() // Go's are functions, all of them
		case codeSection:
			for range s.number() {
				n := s.number()
				s.take(n)
				bodies = append(bodies, n)
			}
		case dataSection:
			data = len(s.b)
		case customSection:
			if string(s.take(s.number())) == "name" {
				names = s.names()
			}
		}
	}
	code = make(map[string]int)
	for i, n := range bodies {
		code[names[imported+i]] += n
	}
	return code, data, nil
}

// reader reads wasm's binary format, of a module that the toolchain has made.
type reader struct{ b []byte }

func (r *reader) take(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) number() int {
	n, used := binary.Uvarint(r.b)
	r.b = r.b[used:]
	return int(n)
}

func (r *reader) names() map[int]string {
	for len(r.b) > 0 {
		kind := r.take(1)[0]
		s := &reader{r.take(r.number())}
		if kind != functionNames {
			continue
		}
		names := make(map[int]string)
		for range s.number() {
			i := s.number()
			names[i] = string(s.take(s.number()))
		}
		return names
	}
	return nil
}
