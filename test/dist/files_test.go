package dist

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"iot.wasm/test/harness"
)

// budget is the largest allowed size of each download, in bytes with brotli 11.
var budget = map[string]int{"iot.js": 12 << 10, "iot.global.js": 12 << 10, "cognito.js": 4 << 10, "shadow.js": 5 << 9, "jobs.js": 5 << 9, "presence.js": 5 << 8, "diagnose.js": 5 << 10, "packets.js": 7 << 9,
	"react.js": 1000, "vue.js": 1000, "iot.wasm": 680_000}

// TestFiles builds a second time, with compression. It compares the two builds, and the
// compressed files with the original ones. It also checks integrity.json and the budget.
func TestFiles(t *testing.T) {
	t.Parallel()
	second := filepath.Join(t.TempDir(), "dist")
	if err := harness.Command(harness.Root, builder, "-dist", second); err != nil {
		t.Fatal(err)
	}
	first := files(t, distDir)
	var hashes map[string]string
	if err := json.Unmarshal(first["integrity.json"], &hashes); err != nil {
		t.Fatal(err)
	}
	if len(hashes) != len(first)-1 {
		t.Errorf("integrity.json contains %d files of %d", len(hashes), len(first))
	}
	again := files(t, second)
	for name, data := range first {
		if !bytes.Equal(again[name], data) {
			t.Errorf("%s differs in the second build", name)
		}
		sum := sha512.Sum384(data)
		if want := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); name != "integrity.json" && hashes[name] != want {
			t.Errorf("the integrity of %s is %s, want %s", name, hashes[name], want)
		}
		delete(again, name)
	}
	for _, name := range []string{"iot.js", "iot.global.js", "cognito.js", "shadow.js", "jobs.js", "presence.js", "diagnose.js", "packets.js", "react.js", "vue.js", "iot.wasm", "iot.js.map"} {
		for ext, open := range map[string]func(io.Reader) (io.Reader, error){
			".br": func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
			".gz": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		} {
			r, err := open(bytes.NewReader(again[name+ext]))
			if err != nil {
				t.Fatalf("%s%s: %v", name, ext, err)
			}
			if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, first[name]) {
				t.Errorf("the content of %s%s differs from %s: %v", name, ext, name, err)
			}
		}
		t.Logf("%s: %d bytes, brotli %d, gzip %d", name, len(first[name]), len(again[name+".br"]), len(again[name+".gz"]))
		if most, ok := budget[name]; ok && len(again[name+".br"]) > most {
			t.Errorf("%s is %d bytes over its budget of %d", name, len(again[name+".br"])-most, most)
		}
	}
	for name := range again {
		if ext := filepath.Ext(name); ext != ".br" && ext != ".gz" {
			t.Errorf("only the second build contains %s", name)
		}
	}
}

// TestSourceMaps checks that a debugger can show the sources.
func TestSourceMaps(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{"iot.js": "www/iot/core.js", "iot.global.js": "www/iot/core.js", "cognito.js": "www/cognito.js", "shadow.js": "www/iot/service.js",
		"jobs.js": "www/jobs.js", "presence.js": "www/iot/feed.js", "diagnose.js": "www/iot/reach.js", "packets.js": "www/iot/names.js", "react.js": "www/iot/follow.js", "vue.js": "www/vue.js"} {
		script, err := os.ReadFile(filepath.Join(distDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want := "//# sourceMappingURL=" + name + ".map"; !strings.HasSuffix(strings.TrimSpace(string(script)), want) {
			t.Errorf("%s does not end with %s", name, want)
		}
		data, err := os.ReadFile(filepath.Join(distDir, name+".map"))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Version                 int
			Sources, SourcesContent []string
			Mappings                string
		}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		if m.Version != 3 || m.Mappings == "" || len(m.Sources) != len(m.SourcesContent) {
			t.Errorf("%s.map is incomplete", name)
			continue
		}
		found := false
		for i, path := range m.Sources {
			original, err := os.ReadFile(filepath.Join(harness.Root, filepath.FromSlash(path)))
			if err != nil {
				t.Errorf("%s.map: %v", name, err)
			}
			if path == source {
				found = m.SourcesContent[i] == string(original)
			}
		}
		if !found {
			t.Errorf("%s.map does not contain %s: %v", name, source, m.Sources)
		}
	}
}

// TestLicences checks that THIRD-PARTY-LICENSES.txt contains the licences of the most
// important projects whose code the wasm contains.
func TestLicences(t *testing.T) {
	t.Parallel()
	text := string(files(t, distDir)["THIRD-PARTY-LICENSES.txt"])
	for _, want := range []string{"Go, LICENSE", "github.com/aws/aws-sdk-go-v2 v", "NOTICE.txt", "github.com/aws/smithy-go v", "github.com/eclipse/paho.golang v", "Redistribution and use in source and binary forms"} {
		if !strings.Contains(text, want) {
			t.Errorf("the licences do not contain %q", want)
		}
	}
}

// TestPackage checks that the npm package contains all files except .br and .gz files.
func TestPackage(t *testing.T) {
	t.Parallel()
	installed := files(t, filepath.Join(project, "node_modules/iot.wasm"))
	for name := range installed {
		if ext := filepath.Ext(name); ext == ".br" || ext == ".gz" {
			t.Errorf("the npm package contains %s", name)
		}
	}
	for name := range files(t, distDir) {
		if _, ok := installed[name]; !ok {
			t.Errorf("the npm package does not contain %s", name)
		}
	}
	if !bytes.Contains(installed["iot.js"], []byte(`new URL("iot.wasm",import.meta.url)`)) {
		t.Error("iot.js does not contain the expression by which bundlers find the wasm")
	}
}

// TestReadme checks that the package's README contains some important terms, and that each
// of its links is absolute or names a file of the package.
func TestReadme(t *testing.T) {
	t.Parallel()
	all := files(t, distDir)
	readme := string(all["README.md"])
	for _, want := range []string{"optimizeDeps", "integrity.json", "wasm-unsafe-eval", "`ERR_CONNECTION_LOST`", "`ERR_COGNITO_NOT_FOUND`", "`ERR_SHADOW_VERSION`", "`ERR_JOBS_VERSION`", "`ERR_DIAGNOSE_NOT_RECEIVED`", "iot.wasm/react", "iot.wasm/vue"} {
		if !strings.Contains(readme, want) {
			t.Errorf("README.md does not contain %s", want)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(readme, -1) {
		if _, ok := all[link[1]]; !ok && !strings.HasPrefix(link[1], "https://") {
			t.Errorf("README.md has a link to %s, which the package does not contain", link[1])
		}
	}
}

// files reads the files of a folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
