// Package types compares the typings in www/ with programs that use them, with
// programs that must not compile, with the JavaScript that they describe, and with
// docs/errors.md.
package types

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// compilers are the oldest TypeScript that the typings are for, and the newest.
var compilers = []string{"typescript-2023", "typescript"}

// tree is a copy of the typings, the JavaScript and the programs of this folder,
// where no package but theirs lies around.
var tree string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "iot-types-")
	if err == nil {
		defer os.RemoveAll(dir)
		tree, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		err = plant()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// plant fills the tree. There, iot.js has the name entry.js, as TypeScript would
// read iot.d.ts in its place, and wasm_exec.js is what is declared of it here.
func plant() error {
	copies := map[string]string{
		"www/iot.js": "www/entry.js", "www/cognito.js": "www/cognito.js",
		"test/types/wasm_exec.d.ts": "www/wasm_exec.d.ts", "test/types/tsconfig.json": "test/types/tsconfig.json",
	}
	for _, pattern := range []string{"www/*.d.ts", "www/iot/*.js", "test/types/*.ts"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Clean(root)+string(filepath.Separator)))
			if copies[name] == "" {
				copies[name] = name
			}
		}
	}
	for from, to := range copies {
		data, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			return err
		}
		to = filepath.Join(tree, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(tree, "package.json"), []byte(`{"type": "module"}`), 0o644)
}

// node runs a script, and returns what it says and whether it succeeded.
func node(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	modules, err := filepath.Abs(filepath.Join(root, "test/npm/node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(modules, "node-22/bin/node")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; run: make test (or: npm ci, in test/npm)", err)
	}
	args[0] = strings.Replace(args[0], "node_modules", modules, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return string(out) + stderr.String(), err == nil
}

// compile runs a compiler on files of the tree's test/types, with the options
// beyond those of tsconfig.json, and returns its complaints.
func compile(t *testing.T, compiler string, options map[string]any, files ...string) string {
	t.Helper()
	config, err := json.Marshal(map[string]any{"extends": "./tsconfig.json", "compilerOptions": options, "files": files})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(tree, "test/types", "tsconfig."+regexp.MustCompile(`\W+`).ReplaceAllString(t.Name(), "-")+".json")
	if err := os.WriteFile(name, config, 0o644); err != nil {
		t.Fatal(err)
	}
	out, ok := node(t, "node_modules/"+compiler+"/bin/tsc", "--pretty", "false", "-p", name)
	if !ok && out == "" {
		return "it failed without a word"
	}
	return out
}

// TestUse compiles the programs of this folder. A mistake that misuse.ts makes
// and the compiler does not see is an error, too.
func TestUse(t *testing.T) {
	nodenext := map[string]any{"module": "nodenext", "moduleResolution": "nodenext"}
	cases := []struct {
		name    string
		options map[string]any
		lib     []string
		files   []string
		newest  bool // only with the newest compiler, which takes a tenth of the time
	}{
		{"page, bundler", nil, []string{"es2022", "esnext.disposable", "dom"}, []string{"usage.ts", "misuse.ts", "page.ts", "disposable.ts"}, false},
		{"page, nodenext", nodenext, []string{"es2022", "dom"}, []string{"usage.ts", "misuse.ts", "page.ts", "plain.ts"}, false},
		{"worker, bundler", nil, []string{"es2022", "webworker"}, []string{"usage.ts", "misuse.ts", "plain.ts"}, true},
		{"worker, nodenext", nodenext, []string{"es2022", "esnext.disposable", "webworker"}, []string{"usage.ts", "misuse.ts", "disposable.ts"}, false},
		{"script", nil, []string{"es2022", "dom"}, []string{"script.ts"}, false},
		{"not strict", map[string]any{"strict": false, "exactOptionalPropertyTypes": false}, []string{"es2022", "dom"}, []string{"page.ts", "plain.ts"}, true},
	}
	for _, compiler := range compilers {
		for _, c := range cases {
			if c.newest && compiler != compilers[len(compilers)-1] {
				continue
			}
			t.Run(compiler+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				options := map[string]any{"lib": c.lib}
				maps.Copy(options, c.options)
				if out := compile(t, compiler, options, c.files...); out != "" {
					t.Error(out)
				}
			})
		}
	}
}

// TestMistakes keeps misuse.ts from being hollowed out.
func TestMistakes(t *testing.T) {
	data, err := os.ReadFile("misuse.ts")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n// @ts-expect-error "); n < 40 {
		t.Errorf("misuse.ts makes %d mistakes only", n)
	}
}

// TestSource checks the JavaScript against the typings, and conform.ts that
// nothing which they declare is missing there.
func TestSource(t *testing.T) {
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			out := compile(t, compiler, map[string]any{
				"allowJs": true, "checkJs": true, "noImplicitOverride": false,
				"exactOptionalPropertyTypes": false, "noPropertyAccessFromIndexSignature": false, "noUncheckedIndexedAccess": false,
			}, "../../www/entry.js", "../../www/cognito.js", "../../www/iot.global.d.ts", "conform.ts")
			if out != "" {
				t.Error(out)
			}
		})
	}
}

// declared is what members.mjs prints.
type declared struct {
	Exports map[string]string
	Types   map[string]map[string]struct {
		Kind     string
		Optional bool
	}
}

func members(t *testing.T, file string) (d declared) {
	t.Helper()
	out, ok := node(t, "members.mjs", file)
	if !ok {
		t.Fatal(out)
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(d.Exports) == 0 || len(d.Types) == 0 {
		t.Fatalf("%s declares nothing", file)
	}
	return d
}

// TestMembers holds what the modules have against what is declared, and looks
// for a use of each name.
func TestMembers(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(root, "www/wasm_exec.js")); err != nil {
		t.Fatalf("%v; run: make wasm", err)
	}
	out, ok := node(t, "runtime.mjs")
	if !ok {
		t.Fatal(out)
	}
	var has struct {
		Exports    map[string]map[string]string
		Own        []string
		Prototypes map[string][]string
	}
	if err := json.Unmarshal([]byte(out), &has); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	var programs strings.Builder
	for _, name := range []string{"usage.ts", "disposable.ts", "page.ts"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		programs.Write(data)
	}
	used := func(name string) bool {
		return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(programs.String())
	}

	kinds := map[string][]string{"class": {"function"}, "function": {"function"}, "const": {"object", "string"}}
	for file, exports := range has.Exports {
		d := members(t, file)
		for name, kind := range d.Exports {
			want, value := kinds[kind]
			if value && !slices.Contains(want, exports[name]) {
				t.Errorf("%s declares the %s %s; the module has %q", file, kind, name, exports[name])
			}
			if name != "default" && !used(name) {
				t.Errorf("%s: usage.ts does not use %s", file, name)
			}
		}
		for name, kind := range exports {
			if kinds[d.Exports[name]] == nil {
				t.Errorf("%s does not declare the %s %s", file, kind, name)
			}
		}
		for of, list := range d.Types {
			for name := range list {
				if name == "callerClientConfig" || name == "text" || name == "byteLength" { // they only keep others out
					continue
				}
				if !used(strings.Trim(name, "[]")) {
					t.Errorf("%s: usage.ts does not use %s.%s", file, of, name)
				}
			}
		}
		for of, names := range has.Prototypes {
			list, ok := d.Types[of]
			if !ok {
				continue
			}
			for _, name := range names {
				if _, ok := list[name]; !ok {
					t.Errorf("%s does not declare %s.%s", file, of, name)
				}
			}
			for name, m := range list {
				if m.Kind == "method" && !m.Optional && !slices.Contains(names, name) && name != "removeEventListener" {
					t.Errorf("%s declares %s.%s, which the class does not have", file, of, name)
				}
			}
		}
		if client := d.Types["DefaultClient"]; client != nil {
			for _, name := range has.Own {
				if _, ok := client[name]; !ok {
					t.Errorf("%s does not declare the default client's %s", file, name)
				}
			}
		}
	}
}

// TestDocs wants a comment on everything that is declared, and a unit for every
// number.
func TestDocs(t *testing.T) {
	t.Parallel()
	args := []string{"docs.mjs"}
	for _, path := range typings(t) {
		args = append(args, filepath.Base(path))
	}
	if out, ok := node(t, args...); !ok || out != "" {
		t.Error(out)
	}
}

// typings are the files www/*.d.ts.
func typings(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "www/*.d.ts"))
	if err != nil || len(files) < 3 {
		t.Fatalf("the typings are %v (%v)", files, err)
	}
	return files
}

// TestCodes checks that the sources, the unions of the typings, and docs/errors.md
// contain the same error codes. A module with typings of its own, such as cognito.js,
// has its codes in those.
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
		case name == "iot.global.js" || name == "wasm_exec.js" || filepath.Base(filepath.Dir(path)) == "console":
		case name != "iot.js" && exists(strings.TrimSuffix(path, ".js")+".d.ts"):
			own := map[string]bool{}
			collect(t, own, quoted, path)
			ofModule[strings.TrimSuffix(path, ".js")+".d.ts"] = own
		default:
			collect(t, sources, quoted, path)
		}
	}

	collect(t, union, quoted, filepath.Join(root, "www/iot.d.ts"))
	equal(t, "the sources", sources, "iot.d.ts", union)

	known := maps.Clone(union)
	for path, codes := range ofModule {
		own := map[string]bool{}
		collect(t, own, quoted, path)
		equal(t, "the module", codes, filepath.Base(path), own)
		maps.Copy(known, own)
	}
	documented := map[string]bool{}
	collect(t, documented, inBackquotes, filepath.Join(root, "docs/errors.md"))
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

func files(t *testing.T, folder, suffix string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("no %s in %s: %v", suffix, folder, err)
	}
	return list
}

// collect puts into set what re finds in the file.
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

func equal(t *testing.T, of string, a map[string]bool, in string, b map[string]bool) {
	t.Helper()
	for _, code := range slices.Sorted(maps.Keys(a)) {
		if !b[code] {
			t.Errorf("%s is in %s, and not in %s", code, of, in)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(b)) {
		if !a[code] {
			t.Errorf("%s is in %s, and not in %s", code, in, of)
		}
	}
}
