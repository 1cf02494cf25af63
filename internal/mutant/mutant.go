// Package mutant puts deliberate bugs into source files, for tests that show that
// other tests find them.
package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Overlay replaces old, which must occur once in the file, by replacement. It returns
// the path of an overlay for go build and go test, in which only the copy of the file
// is changed. dir is a temporary folder.
func Overlay(dir, file, old, replacement string) (config string, err error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	source, err := Source(path, old, replacement)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, source, 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return "", err
	}
	config = filepath.Join(dir, "overlay.json")
	return config, os.WriteFile(config, overlay, 0o644)
}

// Source returns the content of the file with old, which must occur once, replaced.
func Source(file, old, replacement string) ([]byte, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), old); n != 1 {
		return nil, fmt.Errorf("%s contains %q %d times, want once", file, old, n)
	}
	return []byte(strings.Replace(string(source), old, replacement, 1)), nil
}
