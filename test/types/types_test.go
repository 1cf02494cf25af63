// Package types compares the typings in www/ with programs that use them, with
// programs that must not compile, with the JavaScript that they describe, and with
// docs/errors.md.
package types

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// compilers are the oldest supported TypeScript and the newest one.
var compilers = []string{"typescript-2023", "typescript"}

// tree is a folder with copies of the typings, the JavaScript and the programs of this
// folder. Of the npm packages, it contains only links to the types of React and Vue.
var tree string

func TestMain(m *testing.M) { os.Exit(harness.Run(m, copyTree)) }

// copyTree fills the tree. The tree contains iot.js as entry.js, because TypeScript would
// read iot.d.ts instead of iot.js; likewise react-entry.js and vue-entry.js. It contains the declarations of wasm_exec.js instead of
// wasm_exec.js.
func copyTree(dir string) (stop func(), err error) {
	if tree, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	copies := map[string]string{
		"www/iot.js": "www/entry.js", "www/cognito.js": "www/cognito.js", "www/shadow.js": "www/shadow.js",
		"www/jobs.js": "www/jobs.js", "www/presence.js": "www/presence.js", "www/diagnose.js": "www/diagnose.js", "www/packets.js": "www/packets.js",
		"www/react.js": "www/react-entry.js", "www/vue.js": "www/vue-entry.js",
		"test/types/wasm_exec.d.ts": "www/wasm_exec.d.ts", "test/types/tsconfig.json": "test/types/tsconfig.json",
	}
	for _, pattern := range []string{"www/*.d.ts", "www/iot/*.js", "test/types/*.ts", "test/types/*.tsx"} {
		found, err := filepath.Glob(filepath.Join(harness.Root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			name := filepath.ToSlash(strings.TrimPrefix(path, harness.Root+string(filepath.Separator)))
			if copies[name] == "" {
				copies[name] = name
			}
		}
	}
	for from, to := range copies {
		data, err := os.ReadFile(filepath.Join(harness.Root, from))
		if err != nil {
			return nil, err
		}
		to = filepath.Join(tree, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return nil, err
		}
	}
	modules, err := harness.Modules()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"@types/react", "vue"} {
		link := filepath.Join(tree, "node_modules", name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return nil, err
		}
		if err := os.Symlink(filepath.Join(modules, name), link); err != nil {
			return nil, err
		}
	}
	return nil, os.WriteFile(filepath.Join(tree, "package.json"), []byte(`{"type": "module"}`), 0o644)
}

// node runs a script. It returns the output and whether the script succeeded.
func node(t *testing.T, args ...string) (output string, ok bool) {
	t.Helper()
	program, err := harness.Node(22)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return string(out) + stderr.String(), err == nil
}

// compile runs a compiler on files of test/types in the tree. The options are added to
// those of tsconfig.json. It returns the errors that the compiler prints.
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
	modules, err := harness.Modules()
	if err != nil {
		t.Fatal(err)
	}
	out, ok := node(t, filepath.Join(modules, compiler, "bin/tsc"), "--pretty", "false", "-p", name)
	if !ok && out == "" {
		return "the compiler failed and printed nothing"
	}
	return out
}

// TestUse compiles the programs of this folder. It also fails if the compiler accepts a
// mistake of misuse.ts.
func TestUse(t *testing.T) {
	nodenext := map[string]any{"module": "nodenext", "moduleResolution": "nodenext"}
	cases := []struct {
		name    string
		options map[string]any
		lib     []string
		files   []string
		newest  bool // only the newest compiler, which is ten times as fast, compiles the files
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

// TestFrameworks compiles the programs for React and Vue with the newest compiler, and the
// JavaScript of the bindings. It also fails if the compiler accepts a mistake.
func TestFrameworks(t *testing.T) {
	for _, file := range []string{"react.tsx", "vue.ts"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			out := compile(t, compilers[len(compilers)-1], map[string]any{
				"jsx": "react-jsx", "allowJs": true, "checkJs": true, "lib": []string{"es2022", "dom"},
				"exactOptionalPropertyTypes": false, "noPropertyAccessFromIndexSignature": false, "noUncheckedIndexedAccess": false,
			}, file)
			if out != "" {
				t.Error(out)
			}
		})
	}
}

// TestMistakes checks that misuse.ts contains at least 40 mistakes.
func TestMistakes(t *testing.T) {
	data, err := os.ReadFile("misuse.ts")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n// @ts-expect-error "); n < 40 {
		t.Errorf("misuse.ts contains only %d mistakes", n)
	}
}

// TestSource compiles the JavaScript with the typings. With conform.ts, it also checks that
// the JavaScript has everything that the typings declare.
func TestSource(t *testing.T) {
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			out := compile(t, compiler, map[string]any{
				"allowJs": true, "checkJs": true, "noImplicitOverride": false,
				"exactOptionalPropertyTypes": false, "noPropertyAccessFromIndexSignature": false, "noUncheckedIndexedAccess": false,
			}, "../../www/entry.js", "../../www/cognito.js", "../../www/shadow.js",
				"../../www/jobs.js", "../../www/presence.js", "../../www/diagnose.js", "../../www/packets.js", "../../www/iot.global.d.ts", "conform.ts")
			if out != "" {
				t.Error(out)
			}
		})
	}
}

// declared is the output of members.mjs.
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

// TestMembers compares the exports and members of the modules with the declared ones. It
// also checks that the programs of this folder use each declared name.
func TestMembers(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(harness.Root, "www/wasm_exec.js")); err != nil {
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
				t.Errorf("%s: no program uses %s", file, name)
			}
		}
		for name, kind := range exports {
			if kinds[d.Exports[name]] == nil {
				t.Errorf("%s does not declare the %s %s", file, kind, name)
			}
		}
		for of, list := range d.Types {
			for name := range list {
				if name == "callerClientConfig" || name == "text" || name == "byteLength" { // these members only exclude other types
					continue
				}
				if !used(strings.Trim(name, "[]")) {
					t.Errorf("%s: no program uses %s.%s", file, of, name)
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
					t.Errorf("%s declares %s.%s, but the class has no such method", file, of, name)
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

// TestDocs checks that every declaration has a doc comment, and that the comment of every
// number names its unit.
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

// typings returns the files www/*.d.ts.
func typings(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root, "www/*.d.ts"))
	if err != nil || len(files) < 3 {
		t.Fatalf("www/ contains only the typings %v (%v)", files, err)
	}
	return files
}
