package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"os"
)

// TestOverlaySigns compares the signatures of a program with the stand-ins with those of a program with the standard
// library: for the golden cases, and for 10,000 random ones.
func TestOverlaySigns(t *testing.T) {
	t.Chdir("../..")
	overlay, err := writeOverlay(".", goroot(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var outputs [2][]byte
	for i, flags := range [][]string{nil, {"-overlay", overlay}} {
		program := filepath.Join(t.TempDir(), "urls")
		build := exec.Command("go", append(append([]string{"build", "-o", program}, flags...), "./internal/build/testdata/urls")...)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatal(explain(err, string(out)), string(out))
		}
		run := exec.Command(program, "wasm/sigv4/testdata/sigv4-golden.json", "10000")
		run.Stderr = os.Stderr
		if outputs[i], err = run.Output(); err != nil {
			t.Fatal(err)
		}
	}
	if signed := bytes.Count(outputs[0], []byte("X-Amz-Signature=")); signed < 7000 {
		t.Errorf("%d of 10,020 cases have a signature, want most of them", signed)
	}
	real, standIn := strings.Split(string(outputs[0]), "\n"), strings.Split(string(outputs[1]), "\n")
	for i := range real {
		if i >= len(standIn) || real[i] != standIn[i] {
			t.Fatalf("case %d: the standard library signs %s\nthe stand-ins %s", i, real[i], standIn[min(i, len(standIn)-1)])
		}
	}
}

// TestOverlayIsOfTheStandardLibrary checks that the wasm has no package that the stand-ins make unnecessary, and that a
// build without the overlay, such as that of a program that imports wasm/sigv4, has the real packages.
func TestOverlayIsOfTheStandardLibrary(t *testing.T) {
	t.Chdir("../..")
	overlay, err := writeOverlay(".", goroot(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	list := func(flags ...string) string {
		cmd := exec.Command("go", append(append([]string{"list", "-deps"}, flags...), "./wasm")...)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return "\n" + string(out)
	}
	for _, name := range []string{"crypto/x509", "crypto/ecdsa", "mime/multipart", "compress/gzip"} {
		if strings.Contains(list("-overlay", overlay), "\n"+name+"\n") {
			t.Errorf("the wasm has the package %s", name)
		}
		if !strings.Contains(list(), "\n"+name+"\n") {
			t.Errorf("without the overlay, the program does not have the package %s; is the stand-in still necessary?", name)
		}
	}
}

// TestExplain checks that an error of the compiler about a name that a stand-in does not have names the folder.
func TestExplain(t *testing.T) {
	t.Chdir("../..")
	overlay, err := writeOverlay(".", goroot(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\"\", nil) }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-overlay", overlay, "-o", os.DevNull, filepath.Join(dir, "main.go")).CombinedOutput()
	if err = explain(err, string(out)); err == nil || !strings.Contains(err.Error(), "internal/build/overlay") {
		t.Errorf("the error is %v: %s", err, out)
	}
}

// goroot returns the root folder of the toolchain.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
