package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/wasmtest"
)

// TestOverlaySigns compares the signatures of a program with the stand-ins with those of a program with the standard
// library: for the golden cases, and for 10,000 random ones.
func TestOverlaySigns(t *testing.T) {
	t.Chdir("../..")
	overlay, err := writeOverlay(".", wasmtest.Root(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cases := goldenCases(t, "wasm/sigv4/testdata/sigv4-golden.json") + randomCases(10_000)
	var outputs [2][]byte
	for i, flags := range [][]string{nil, {"-overlay", overlay}} {
		program := filepath.Join(t.TempDir(), "urls")
		build := exec.Command("go", append(append([]string{"build", "-o", program}, flags...), "./internal/build/testdata/urls")...)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatal(explain(err, string(out)), string(out))
		}
		run := exec.Command(program)
		run.Stdin, run.Stderr = strings.NewReader(cases), os.Stderr
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

// goldenCases returns the cases of a file as input for the program urls.
func goldenCases(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Host, Region, Date, AccessKeyID, SecretAccessKey, SessionToken, URL string
			Port, Expires                                                       int
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range golden.Cases {
		now, err := time.Parse("20060102T150405Z", c.Date)
		if err != nil {
			t.Fatal(err)
		}
		scheme, _, _ := strings.Cut(c.URL, "://")
		line(&b, fmt.Sprintf("%s://%s:%d/mqtt", scheme, c.Host, c.Port), c.Region, c.AccessKeyID, c.SecretAccessKey, c.SessionToken, now.Unix(), c.Expires)
	}
	return b.String()
}

// randomCases returns n random cases as input for the program urls. Some have no valid endpoint.
func randomCases(n int) string {
	var b strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, least, most int) string {
		runes := []rune(alphabet)
		b := make([]rune, least+r.IntN(most-least+1))
		for i := range b {
			b[i] = runes[r.IntN(len(runes))]
		}
		return string(b)
	}
	for range n {
		host := "a" + text("abcXYZ019-", 0, 30) + ".example"
		path, query := text("ab/ ~é+&=.", 0, 12), text("ab=&+é", 0, 20)
		if r.IntN(4) == 0 {
			path, query = path+"%2F%20", query+"%26%"+text("0123", 1, 2)
		}
		endpoint := []string{"", "ws://", "wss://", "https://"}[r.IntN(4)] + host + []string{"", ":8443"}[r.IntN(2)] + "/" + path + "?" + query
		line(&b, endpoint, text("us-eastw1", 1, 12), text("AKIDasia0129", 1, 20), text("wJalr/UtnFEMI+K7é", 1, 40), text("token/+=é", 0, 200),
			r.Int64N(1<<33), r.IntN(3)*r.IntN(604801)/2)
	}
	return b.String()
}

// line appends a line with the quoted values.
func line(b *strings.Builder, values ...any) {
	for _, v := range values {
		fmt.Fprintf(b, "%q ", fmt.Sprint(v))
	}
	b.WriteByte('\n')
}

// TestOverlayIsOfTheStandardLibrary checks that the wasm has no package that the stand-ins make unnecessary, and that a
// build without the overlay, such as that of a program that imports wasm/sigv4, has the real packages.
func TestOverlayIsOfTheStandardLibrary(t *testing.T) {
	t.Chdir("../..")
	overlay, err := writeOverlay(".", wasmtest.Root(t), t.TempDir())
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
	for _, name := range []string{"crypto/x509", "crypto/ecdsa", "mime/multipart", "compress/gzip", "crypto/internal/fips140/aes", "internal/poll"} {
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
	overlay, err := writeOverlay(".", wasmtest.Root(t), t.TempDir())
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
