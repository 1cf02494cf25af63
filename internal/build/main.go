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
	names := flag.Bool("names", false, "with -o: keep the names of the functions, for a profile")
	compress := flag.Bool("compress", true, "with -dist: make the .br and .gz files, which takes most of the time")
	flag.Parse()
	if err := build(*stampOnly, *names, *out, *dist, *compress); err != nil {
		log.Fatal(err)
	}
}

// build runs the step that the flags of main select.
func build(stampOnly, names bool, out, dist string, compressed bool) error {
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
	stamp, err := makeStamp(version, tools.version, support)
	if err != nil {
		return err
	}
	switch {
	case stampOnly:
		fmt.Println(stamp)
		return nil
	case out != "":
		return compile(tools, stamp, out, names)
	case dist != "":
		return makeDist(tools, dist, version, stamp, compressed)
	}
	return makeWasm(tools, stamp, support)
}
