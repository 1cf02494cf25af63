package types

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestCodes checks that the sources, the unions of the typings, and docs/errors.md
// contain the same error codes. If a module such as cognito.js has typings of its own,
// those typings contain its codes. Such a module may also use codes of iot.d.ts.
func TestCodes(t *testing.T) {
	sources, union := map[string]bool{}, map[string]bool{}
	inBackquotes := regexp.MustCompile("`(ERR_[A-Z0-9_]+)`")
	quoted := regexp.MustCompile(`"(ERR_[A-Z0-9_]+)"`)

	for _, path := range files(t, "wasm", ".go") {
		if !strings.HasSuffix(path, "_test.go") {
			collect(t, sources, quoted, path)
		}
	}
	ofModule := map[string]map[string]bool{} // by the path of the module's own typings
	for _, path := range files(t, "www", ".js") {
		switch name := filepath.Base(path); {
		case name == "iot.global.js" || name == "wasm_exec.js" || strings.Contains(filepath.ToSlash(path), "/www/console/"):
		case name != "iot.js" && exists(strings.TrimSuffix(path, ".js")+".d.ts"):
			own := map[string]bool{}
			collect(t, own, quoted, path)
			ofModule[strings.TrimSuffix(path, ".js")+".d.ts"] = own
		default:
			collect(t, sources, quoted, path)
		}
	}

	collect(t, union, quoted, filepath.Join(harness.Root, "www/iot.d.ts"))
	equal(t, "the sources", sources, "iot.d.ts", union)

	known := maps.Clone(union)
	for path, codes := range ofModule {
		own := map[string]bool{}
		collect(t, own, quoted, path)
		maps.DeleteFunc(codes, func(code string, _ bool) bool { return union[code] && !own[code] })
		equal(t, "the module", codes, filepath.Base(path), own)
		maps.Copy(known, own)
	}
	documented := map[string]bool{}
	collect(t, documented, inBackquotes, filepath.Join(harness.Root, "docs/errors.md"))
	equal(t, "the typings", known, "docs/errors.md", documented)

	mentioned := map[string]bool{}
	for _, path := range typings(t) {
		collect(t, mentioned, inBackquotes, path)
	}
	for code := range mentioned {
		if !known[code] {
			t.Errorf("a comment of the typings names %s, which is not an error code", code)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// files returns the files with a suffix in a folder of the project.
func files(t *testing.T, folder, suffix string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(harness.Root, folder), func(path string, d os.DirEntry, err error) error {
		if d != nil && (d.Name() == "node_modules" || d.Name() == "dist") { // of the demos
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("no file in %s has the suffix %s: %v", folder, suffix, err)
	}
	return list
}

// collect adds the first group of each match in a file to the set.
func collect(t *testing.T, set map[string]bool, re *regexp.Regexp, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range re.FindAllSubmatch(data, -1) {
		set[string(m[1])] = true
	}
}

// equal checks that two sets of codes are equal.
func equal(t *testing.T, of string, a map[string]bool, in string, b map[string]bool) {
	t.Helper()
	for _, code := range slices.Sorted(maps.Keys(a)) {
		if !b[code] {
			t.Errorf("%s is in %s, but not in %s", code, of, in)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(b)) {
		if !a[code] {
			t.Errorf("%s is in %s, but not in %s", code, in, of)
		}
	}
}
