package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
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
// determines the bytes of the wasm and its loader. The optional modules, such as shadow.js,
// do not contain the stamp, so they do not determine it. Builds with the same stamp must
// have the same bytes, because the URL of the wasm contains the stamp and caches may
// keep the file for ever. support is the toolchain's wasm_exec.js. snapshot reports whether the start
// of the program runs in the build.
func makeStamp(version, goVersion string, support []byte, snapshot bool) (string, error) {
	hash := sha256.New()
	hash.Write(support)
	fmt.Fprint(hash, goVersion, snapshot)
	modules, err := clientModules()
	if err != nil {
		return "", err
	}
	for _, root := range append([]string{"go.mod", "go.sum", "wasm", "internal/build"}, modules...) {
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

// clientModules returns the paths of iot.js and of the modules that it imports, in alphabetical
// order, without wasm_exec.js.
func clientModules() ([]string, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"www/iot.js"},
		External:    []string{"../wasm_exec.js"},
		Bundle:      true,
		Format:      api.FormatESModule,
		TsconfigRaw: "{}", // ignores a tsconfig.json in a parent folder
		Metafile:    true,
		LogLevel:    api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New("esbuild cannot read www/iot.js")
	}
	var list struct{ Inputs map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(result.Metafile), &list); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(list.Inputs)), nil
}
