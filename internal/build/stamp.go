package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var versionLine = regexp.MustCompile(`(?m)^export const version = "([^"]+)";$`)

// readVersion reads the version from the JavaScript module that exports it.
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

// makeStamp returns the stamp of a build: the version, and a hash of everything that
// determines the bytes of the wasm and its loader. Builds with the same stamp must
// have the same bytes, because the URL of the wasm contains the stamp and caches may
// keep the file for ever. support is the toolchain's wasm_exec.js.
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
