package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"iot.wasm/test/harness"
)

// TestVendor checks that the files of www/console/vendor are those that "make vendor" makes from the npm packages.
func TestVendor(t *testing.T) {
	dir := t.TempDir()
	if err := harness.Command(harness.Root, "go", "run", "./internal/vendor", "-o", dir); err != nil {
		t.Fatal(err)
	}
	committed := filepath.Join(harness.Root, "www/console/vendor")
	names := map[string]bool{}
	for _, folder := range []string{dir, committed} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names[entry.Name()] = true
		}
	}
	for name := range names {
		made, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("\"make vendor\" does not make %s: %v", name, err)
			continue
		}
		if file, err := os.ReadFile(filepath.Join(committed, name)); err != nil || !bytes.Equal(file, made) {
			t.Errorf("%s is not what \"make vendor\" makes: %v", name, err)
		}
	}
}
