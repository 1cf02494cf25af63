// Command build makes the files of www/ that are not in git: iot.wasm, iot.global.js,
// demos/embed.html, and wasm_exec.js from the toolchain. "make wasm" runs it. With -dist it makes the folder for
// npm and CDNs from the files in www/. The command must run in the root folder of the
// project.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("build: ")
	stampOnly := flag.Bool("stamp", false, "print the stamp of the sources, and make nothing")
	dist := flag.String("dist", "", "make the `folder` for npm and CDNs, and replace its files")
	out := flag.String("o", "", "make the wasm only, as this `file`")
	var p program
	flag.BoolVar(&p.names, "names", false, "with -o: keep the names of the functions, for a profile")
	flag.BoolVar(&p.snapshot, "snapshot", true, "run the start of the program in the build; false: in the page")
	compress := flag.Bool("compress", true, "with -dist: make the .br and .gz files, which takes most of the time")
	flag.Parse()
	if err := build(*stampOnly, p, *out, *dist, *compress); err != nil {
		log.Fatal(err)
	}
}

// build runs the step that the flags of main select.
func build(stampOnly bool, p program, out, dist string, compressed bool) error {
	tools, err := findToolchain()
	if err != nil {
		return err
	}
	support, err := os.ReadFile(filepath.Join(tools.root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("read the toolchain's wasm_exec.js: %w", err)
	}
	version, err := readVersion()
	if err != nil {
		return err
	}
	p.tools = tools
	p.stamp, err = makeStamp(version, tools.version, support, p.snapshot)
	if err != nil {
		return err
	}
	switch {
	case stampOnly:
		fmt.Println(p.stamp)
		return nil
	case out != "":
		module, _, err := p.make()
		if err != nil {
			return err
		}
		return os.WriteFile(out, module, 0o644)
	case dist != "":
		return makeDist(tools, dist, version, p.stamp, compressed)
	}
	return makeWasm(p, support)
}
