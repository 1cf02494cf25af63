package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSameBytes builds the same sources in two folders. The first folder is not in a git
// repository. The second folder is a git repository with an uncommitted change, and its
// build runs with other settings of the go command. Files with the same stamp must have the
// same bytes, because caches keep them for ever.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	builder := filepath.Join(dir, "builder")
	if out, err := exec.Command("go", "build", "-o", builder, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	plain := copySources(t, filepath.Join(dir, "plain"))
	other := copySources(t, filepath.Join(dir, "other", "a longer name"))

	// Files in the parent folder must not affect the build.
	put(t, filepath.Join(dir, "other", "tsconfig.json"), `{"compilerOptions":{"useDefineForClassFields":false,"target":"es5","strict":true,"alwaysStrict":true}}`)
	put(t, filepath.Join(dir, "other", "package.json"), `{"name":"around","sideEffects":false,"type":"commonjs"}`)
	put(t, filepath.Join(dir, "other", "go.work"), "go 1.26.0\n\nuse ./nothing\n")
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "all"}, {"tag", "v7.7.7"}} {
		git := exec.Command("git", args...)
		git.Dir = other
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example")
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	put(t, filepath.Join(other, "LICENSE"), "changed since the commit\n")
	settings := filepath.Join(dir, "goenv")
	put(t, settings, "GOFLAGS=-buildvcs=true -tags=other\nGOEXPERIMENT=nogreenteagc\n")

	buildIn(t, builder, plain, "GOFLAGS=-buildvcs=true")
	buildIn(t, builder, other, "GOFLAGS=", "GOENV="+settings, "CGO_ENABLED=1", "GOWASM=satconv,signext", "GOAMD64=v3", "GODEBUG=panicnil=1", "GOFIPS140=latest")
	for _, name := range []string{"iot.wasm", "wasm_exec.js", "iot.global.js", "demos/embed.html"} {
		a, b := read(t, filepath.Join(plain, "www", name)), read(t, filepath.Join(other, "www", name))
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs: %d bytes in one folder, %d in the other", name, len(a), len(b))
		}
	}
}

// TestStampOfModules checks that the stamp depends on iot.js and on the modules that it imports, and not on the
// modules that only optional modules import.
func TestStampOfModules(t *testing.T) {
	dir := copySources(t, t.TempDir())
	t.Chdir(dir)
	stamp := func() string {
		t.Helper()
		stamp, err := makeStamp("1.2.3", "go1", nil, true)
		if err != nil {
			t.Fatal(err)
		}
		return stamp
	}
	before := stamp()
	for name, depends := range map[string]bool{
		"iot.js": true, "iot/client.js": true, "iot/load.js": true, "iot/abi.js": true,
		"shadow.js": false, "iot/service.js": false, "iot/feed.js": false, "iot/follow.js": false,
	} {
		path := filepath.Join("www", name)
		text := read(t, path)
		put(t, path, string(text)+"// changed\n")
		if changed := stamp() != before; changed != depends {
			t.Errorf("%s: whether a change of it changes the stamp is %t, want %t", name, changed, depends)
		}
		put(t, path, string(text))
	}
}

func copySources(t *testing.T, to string) string {
	t.Helper()
	const root = "../.."
	for _, name := range []string{"go.mod", "go.sum", "LICENSE", "wasm", "www", "internal/build"} {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch d.Name() {
			case "node_modules", "dist": // of the demos
				return fs.SkipDir
			case "iot.wasm", "wasm_exec.js", "iot.global.js":
				return nil
			}
			if d.IsDir() || strings.HasSuffix(filepath.ToSlash(path), "www/demos/embed.html") {
				return nil
			}
			put(t, filepath.Join(to, strings.TrimPrefix(path, filepath.FromSlash(root))), string(read(t, path)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func buildIn(t *testing.T, builder, dir string, env ...string) {
	t.Helper()
	cmd := exec.Command(builder)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("build in %s: %v: %s", dir, err, out)
	}
	t.Logf("%s", out)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
