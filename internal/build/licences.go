package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// legalFile matches the names of the files that must be distributed together with the
// code. The LICENSE files of Eclipse projects refer to the last two names.
var legalFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|edl-v10|epl-v20)(\.(txt|md))?$`)

// licences returns the licences and notices of Go and of every module that has a
// package in iot.wasm.
func licences(tools *toolchain) ([]byte, error) {
	cmd := exec.Command("go", "list", "-mod=readonly", "-deps", "-json=Dir,Module", "./wasm")
	cmd.Env = tools.env
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages of the wasm: %w", err)
	}
	type part struct{ title, root string }
	folders := map[part][]string{{"Go", tools.root}: nil}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := part{p.Module.Path + " " + p.Module.Version, p.Module.Dir}
		// Each folder between the root and the package may have its own licence.
		for dir := p.Dir; dir != m.root && strings.HasPrefix(dir, m.root); dir = filepath.Dir(dir) {
			folders[m] = append(folders[m], dir)
		}
	}
	var texts []string
	for m, dirs := range folders {
		text, err := legalText(m.title, m.root, dirs)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return []byte("iot.wasm and iot.js contain code of these projects.\n" + strings.Join(texts, "")), nil
}

// legalText returns the licences and notices in the root of a module and in the given
// folders.
func legalText(title, root string, dirs []string) (string, error) {
	dirs = append(dirs, root)
	slices.Sort(dirs)
	var b strings.Builder
	for _, dir := range slices.Compact(dirs) {
		files, err := os.ReadDir(dir)
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if file.IsDir() || !legalFile.MatchString(file.Name()) {
				continue
			}
			path := filepath.Join(dir, file.Name())
			data, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return "", err
			}
			text := strings.ReplaceAll(string(data), "\r\n", "\n")
			fmt.Fprintf(&b, "\n%s\n%s, %s\n\n%s\n", strings.Repeat("=", 80), title, filepath.ToSlash(name), strings.TrimSpace(text))
		}
	}
	if b.Len() == 0 {
		return "", fmt.Errorf("%s has no licence", title)
	}
	return b.String(), nil
}
