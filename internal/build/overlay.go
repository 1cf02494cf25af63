package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// standIns lists the packages of the standard library that packages in internal/build/overlay replace in the wasm. The
// sources in wasm/ import the real packages, so that "go build", "go vet" and programs that import wasm/sigv4 use them.
var standIns = []string{
	"crypto/internal/boring", "crypto/internal/fips140hash", "crypto/internal/fips140only", "crypto/md5", "crypto/rand", "crypto/tls",
	"encoding/json", "hash/crc32", "internal/godebug", "io/ioutil", "log", "math/big",
	"net", "net/http", "net/http/httptrace", "net/http/httputil", "net/textproto", "os", "runtime/debug",
}

// selfTests lists files of the standard library that the wasm does not need: the self-tests of FIPS 140-3, which run in that
// mode only. The tests of AES, the random
// generator, SHA-3 and SHA-512 would keep these algorithms in the wasm.
var selfTests = []string{
	"crypto/internal/fips140/aes/cast.go", "crypto/internal/fips140/aes/gcm/cast.go", "crypto/internal/fips140/drbg/cast.go",
	"crypto/internal/fips140/hmac/cast.go", "crypto/internal/fips140/sha256/cast.go",
	"crypto/internal/fips140/sha3/cast.go", "crypto/internal/fips140/sha512/cast.go",
}

// additions lists files of internal/build/overlay that the overlay adds to a package of the standard library.
var additions = []string{"runtime/proceed.go"}

// writeOverlay writes the file for "go build -overlay", as overlay.json in dir. root is the root folder of the project,
// and goroot that of the toolchain. The overlay removes all files of each package in standIns, and adds the stand-in. It also
// removes selfTests, and adds additions.
func writeOverlay(root, goroot, dir string) (string, error) {
	replace := map[string]string{}
	for _, name := range standIns {
		folder := filepath.Join(goroot, "src", filepath.FromSlash(name))
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			return "", fmt.Errorf("the toolchain in %s has no package %s (%v)", goroot, name, err)
		}
		assembly, err := filepath.Glob(filepath.Join(folder, "*.s"))
		if err != nil {
			return "", err
		}
		for _, file := range append(files, assembly...) {
			replace[file] = ""
		}
		added, err := filepath.Glob(filepath.Join(root, "internal/build/overlay", filepath.FromSlash(name), "*.go"))
		if err != nil || len(added) == 0 {
			return "", fmt.Errorf("internal/build/overlay has no package %s (%v)", name, err)
		}
		for _, file := range added {
			replace[filepath.Join(folder, "iot_"+filepath.Base(file))] = file
		}
	}
	for _, name := range selfTests {
		file := filepath.Join(goroot, "src", filepath.FromSlash(name))
		if _, err := os.Stat(file); err != nil {
			return "", fmt.Errorf("the toolchain has no file %s: %w", name, err)
		}
		replace[file] = ""
	}
	for _, name := range additions {
		file := filepath.FromSlash(name)
		replace[filepath.Join(goroot, "src", filepath.Dir(file), "iot_"+filepath.Base(file))] = filepath.Join(root, "internal/build/overlay", file)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o644)
}

// explain adds to the error of a build with the overlay what probably has to be done.
func explain(err error, output string) error {
	if err == nil || !strings.Contains(output, "undefined: ") && !strings.Contains(output, "has no field or method") && !strings.Contains(output, "unknown field") {
		return err
	}
	return fmt.Errorf("%w\nA new version of Go, or of a module in go.mod, uses more of %s than the stand-ins in internal/build/overlay contain. Add the missing names there", err, strings.Join(standIns, ", "))
}
