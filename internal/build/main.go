// Command build makes what www/ does not hold in git: iot.wasm, the wasm_exec.js
// of the toolchain that built it, and iot.global.js. It is what "make wasm" runs.
// With -dist it makes, of what is in www/, the folder that npm and a CDN take.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("build: ")
	stampOnly := flag.Bool("stamp", false, "say the stamp of the sources as they are, and make nothing")
	dist := flag.String("dist", "", "make the `folder` for npm and a CDN, in place of what is there")
	lean := flag.Bool("lean", false, "leave net/http out of the wasm, and with it signer/v4: a signer of our own; a build with a stamp of its own")
	out := flag.String("o", "", "make the wasm as this `file`, and nothing else")
	compress := flag.Bool("compress", true, "with -dist: make the .br and .gz, too, which takes most of the time")
	flag.Parse()
	if err := build(*stampOnly, *lean, *out, *dist, *compress); err != nil {
		log.Fatal(err)
	}
}

func build(stampOnly, lean bool, out, dist string, compressed bool) error {
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
	stamp, err := makeStamp(version, tools.version, support, lean)
	if err != nil {
		return err
	}
	switch {
	case stampOnly:
		fmt.Println(stamp)
		return nil
	case out != "":
		return compile(tools, stamp, out, lean)
	case dist != "":
		return makeDist(tools, dist, version, stamp, compressed)
	}
	return makeWasm(tools, stamp, support, lean)
}

func makeWasm(tools *toolchain, stamp string, support []byte, lean bool) error {
	if err := compile(tools, stamp, "www/iot.wasm", lean); err != nil {
		return err
	}
	wasm, err := os.ReadFile("www/iot.wasm")
	if err != nil {
		return err
	}
	if err := os.WriteFile("www/wasm_exec.js", wrap(support, wasm, tools.version, stamp), 0o644); err != nil {
		return err
	}
	if err := bundle(); err != nil {
		return err
	}
	fmt.Printf("www/iot.wasm %s, %.2f MB; next: go run serve.go\n", stamp, float64(len(wasm))/1e6)
	return nil
}

var versionLine = regexp.MustCompile(`(?m)^export const version = "([^"]+)";$`)

// readVersion reads the version where people and the page read it.
func readVersion() (string, error) {
	module, err := os.ReadFile("www/iot/module.js")
	if err != nil {
		return "", fmt.Errorf("read the version (run this in the project's folder): %w", err)
	}
	version := versionLine.FindSubmatch(module)
	if version == nil {
		return "", errors.New("www/iot/module.js has no version line")
	}
	return string(version[1]), nil
}

// makeStamp names this build: the version in the JavaScript, and a hash of all
// that goes into the wasm and its loader. Builds of one stamp have the same bytes:
// the wasm's address has the stamp in it, and caches keep what is there for ever.
func makeStamp(version, goVersion string, support []byte, lean bool) (string, error) {
	hash := sha256.New()
	hash.Write(support)
	fmt.Fprint(hash, goVersion)
	if lean {
		fmt.Fprint(hash, " lean")
	}
	for _, root := range []string{"go.mod", "go.sum", "wasm", "www/iot.js", "www/iot", "internal/build"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if d.Name() == "testdata" || d.Name() == "template" {
					return fs.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(path, "_test.go") {
				return nil
			}
			data, err := os.ReadFile(path)
			fmt.Fprintf(hash, "\n%s %d\n", filepath.ToSlash(path), len(data))
			hash.Write(data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s+%x", version, hash.Sum(nil)[:6]), nil
}

// compile builds the wasm. HTTP/2 is left out of net/http, of which nothing but
// the signer's request type is used; the lean build does without net/http, and
// without copies of the library's small functions in its larger ones.
func compile(tools *toolchain, stamp, out string, lean bool) error {
	args := []string{"-ldflags", "-s -w -buildid= -X main.version=" + stamp, "-o", out}
	if lean {
		args = append(args, "-tags", "lean", "-gcflags", "all=-l", "-gcflags", "iot.wasm/...=")
	} else {
		// The client calls its small functions rarely: copies of them cost more than the calls.
		args = append(args, "-gcflags", "iot.wasm/wasm/client=-l", "-gcflags", "iot.wasm/wasm/bridge=-l", "-gcflags", "iot.wasm/wasm/abi=-l", "-tags", "nethttpomithttp2")
	}
	if err := tools.build(append(args, "./wasm")...); err != nil {
		return err
	}
	module, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	if module, err = joinSegments(module); err != nil {
		return err
	}
	return os.WriteFile(out, module, 0o644)
}
