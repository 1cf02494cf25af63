// Command build makes what www/ does not hold in git: iot.wasm, the wasm_exec.js
// of the toolchain that built it, and iot.global.js. It is what "make wasm" runs.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("make wasm: ")
	stampOnly := flag.Bool("stamp", false, "say the stamp of the sources as they are, and make nothing")
	flag.Parse()
	if err := build(*stampOnly); err != nil {
		log.Fatal(err)
	}
}

func build(stampOnly bool) error {
	support, err := os.ReadFile(filepath.Join(runtimeRoot(), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("read the toolchain's wasm_exec.js: %w", err)
	}
	stamp, err := makeStamp(support)
	if err != nil {
		return err
	}
	if stampOnly {
		fmt.Println(stamp)
		return nil
	}
	if err := os.WriteFile("www/wasm_exec.js", wrap(support, stamp), 0o644); err != nil {
		return err
	}
	if err := compile(stamp); err != nil {
		return err
	}
	if err := bundle(); err != nil {
		return err
	}
	info, err := os.Stat("www/iot.wasm")
	if err != nil {
		return err
	}
	fmt.Printf("www/iot.wasm %s, %.2f MB; next: go run serve.go\n", stamp, float64(info.Size())/1e6)
	return nil
}

// runtimeRoot asks the go command, as a toolchain that it has switched to is
// not where the first one lies.
func runtimeRoot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

var versionLine = regexp.MustCompile(`(?m)^export const version = "([^"]+)";$`)

// makeStamp names this build: the version in the JavaScript, and a hash of all
// that goes into the wasm and its loader.
func makeStamp(support []byte) (string, error) {
	module, err := os.ReadFile("www/iot/module.js")
	if err != nil {
		return "", fmt.Errorf("read the version (run this in the project's folder): %w", err)
	}
	version := versionLine.FindSubmatch(module)
	if version == nil {
		return "", errors.New("www/iot/module.js has no version line")
	}
	hash := sha256.New()
	hash.Write(support)
	fmt.Fprint(hash, runtime.Version())
	for _, root := range []string{"go.mod", "go.sum", "wasm", "www/iot.js", "www/iot", "internal/build"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
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
	return fmt.Sprintf("%s+%x", version[1], hash.Sum(nil)[:6]), nil
}

// wrap puts the toolchain's script into a function with a global object of its
// own, so that it leaves nothing on the page, and Go sees nothing of the page
// but what is listed.
func wrap(support []byte, stamp string) []byte {
	return fmt.Appendf(nil, `// Made by "make wasm" from the wasm_exec.js of %s. Do not edit.
export const stamp = %q;

const page = globalThis;

/** A Go runtime that knows of the page only what stands here. */
export function newGo(iotBridge) {
let fs;
const { Object, Array, Uint8Array, Uint8ClampedArray, Date, Error, crypto, performance, TextEncoder, TextDecoder } = page;
const globalThis = { iotBridge, Object, Array, Uint8Array, Uint8ClampedArray, Date, Error, crypto, performance, TextEncoder, TextDecoder };

%s
fs = globalThis.fs;
return new globalThis.Go();
}
`, runtime.Version(), stamp, support)
}

// compile builds the wasm. HTTP/2 is left out of net/http, of which nothing but
// the signer's request type is used.
func compile(stamp string) error {
	const out = "www/iot.wasm"
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "nethttpomithttp2", "-ldflags", "-s -w -X main.version="+stamp, "-o", out, "./wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
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

// bundle makes the classic script out of the modules.
func bundle() error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"www/iot.js"},
		Outfile:     "www/iot.global.js",
		Bundle:      true,
		Write:       true,
		Format:      api.FormatIIFE,
		Target:      api.ES2022,
		External:    []string{"node:*"},
		// A classic script learns its address only while it runs for the first time.
		Define: map[string]string{"import.meta.url": "iotScriptURL"},
		Banner: map[string]string{"js": "// Made by \"make wasm\". Do not edit.\n" +
			"(() => {\nconst iotScriptURL = globalThis.document?.currentScript?.src || globalThis.location?.href;"},
		Footer:   map[string]string{"js": "})();"},
		LogLevel: api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return errors.New("www/iot.global.js could not be made")
	}
	return nil
}
