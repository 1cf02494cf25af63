// Package mutant makes copies of source files with a deliberate bug. A test uses it to
// check that other tests detect the bug.
package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Overlay writes a configuration for the flag -overlay of go build and go test, and
// returns its path. With the flag, the go command uses the result of Source in place of
// file. Overlay writes its files into dir, which must be a separate folder for each call.
// It fails if Source fails, or if it cannot write the files.
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

// Source returns the content of file with old replaced by replacement. It returns an
// error if the file does not contain old exactly once.
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
