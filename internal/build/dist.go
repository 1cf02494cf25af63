package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed template
var templates embed.FS

// makeDist fills the folder dir with the files of a release, for npm, CDNs and other web
// servers. With compressed, it adds .br and .gz files. It returns an error if www/iot.wasm
// does not contain stamp. The same sources result in the same bytes.
func makeDist(tools *toolchain, dir, version, stamp string, compressed bool) error {
	files, err := minified(version)
	if err != nil {
		return err
	}
	typings, err := filepath.Glob("www/*.d.ts")
	if err != nil {
		return err
	}
	for _, name := range append(typings, "www/iot.wasm", "LICENSE") {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return fmt.Errorf("%w; run: make dist", err)
		}
	}
	if !bytes.Contains(files["iot.wasm"], []byte(stamp)) {
		return errors.New("www/iot.wasm is outdated; run: make dist")
	}
	if files["THIRD-PARTY-LICENSES.txt"], err = licences(tools); err != nil {
		return err
	}
	if err := fill(files, version, stamp); err != nil {
		return err
	}
	if compressed {
		if err := compress(files); err != nil {
			return err
		}
	}
	return write(dir, files)
}

// fill adds the files of the templates, and integrity.json with the hash of each file.
// compress adds its files later, so integrity.json has no hashes of them.
func fill(files map[string][]byte, version, stamp string) error {
	values := map[string]string{
		"Version":    version,
		"Stamp":      stamp,
		"ScriptHash": integrity(files["iot.global.js"]),
		"WasmHash":   integrity(files["iot.wasm"]),
	}
	// The package's README repeats these sections of the documentation.
	for name, from := range map[string]struct{ file, title string }{
		"Bundler":  {"docs/embedding.md", "With a bundler"},
		"React":    {"docs/embedding.md", "React"},
		"Vue":      {"docs/embedding.md", "Vue"},
		"Script":   {"docs/embedding.md", "By a script tag"},
		"Headers":  {"docs/embedding.md", "HTTP headers of your server"},
		"Start":    {"docs/embedding.md", "A faster start"},
		"Codes":    {"docs/errors.md", "Codes"},
		"Cognito":  {"docs/errors.md", "cognito.js"},
		"Shadow":   {"docs/errors.md", "shadow.js"},
		"Jobs":     {"docs/errors.md", "jobs.js"},
		"Diagnose": {"docs/errors.md", "diagnose.js"},
	} {
		text, err := os.ReadFile(from.file)
		if err != nil {
			return err
		}
		if values[name] = section(string(text), from.title); values[name] == "" {
			return fmt.Errorf("%s has no section %q", from.file, from.title)
		}
	}
	t, err := template.ParseFS(templates, "template/*")
	if err != nil {
		return err
	}
	for _, part := range t.Templates() {
		var b bytes.Buffer
		if err := part.Execute(&b, values); err != nil {
			return err
		}
		files[part.Name()] = b.Bytes()
	}
	hashes := map[string]string{}
	for name, data := range files {
		hashes[name] = integrity(data)
	}
	list, err := json.MarshalIndent(hashes, "", "  ")
	if err != nil {
		return err
	}
	files["integrity.json"] = append(list, '\n')
	return nil
}

// section returns the body of the section "## title" of a Markdown text. It replaces each
// link to another document by the text of the link, because the package does not contain
// that document.
func section(text, title string) string {
	_, text, _ = strings.Cut(text, "\n## "+title+"\n")
	if end := nextSection.FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return strings.TrimSpace(relativeLink.ReplaceAllString(text, "$1"))
}

var (
	nextSection  = regexp.MustCompile(`(?m)^## `)
	relativeLink = regexp.MustCompile(`\[([^\]]+)\]\([^):]*\)`)
)

// write replaces the files in dir. It returns an error if dir contains files but no
// integrity.json: an earlier call of makeDist has then not written these files.
func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "integrity.json")); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s contains other files; name an empty or a new folder", dir)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d files; iot.js %d bytes", dir, len(files), len(files["iot.js"]))
	if br, ok := files["iot.js.br"]; ok {
		fmt.Printf(", with brotli %d; iot.wasm with brotli %d", len(br), len(files["iot.wasm.br"]))
	}
	fmt.Println()
	return nil
}
