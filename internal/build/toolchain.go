package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// toolchain is the go command with an environment. With this environment, the command
// builds the same bytes on every machine.
type toolchain struct {
	root    string // GOROOT
	version string // GOVERSION, equal to runtime.Version
	env     []string
}

// locations lists the settings that select the servers, the folders and the toolchain of
// the go command. They do not change what a version of the toolchain builds. GOROOT is not
// in the list, because GOTOOLCHAIN may select a toolchain in another folder.
var locations = []string{
	"GOAUTH", "GOBIN", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH",
	"GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTELEMETRYDIR", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// findToolchain reads the settings of the go command. It removes every setting that
// could change the wasm (GOFLAGS, GOEXPERIMENT, GOWASM, GOFIPS140, GODEBUG, a
// workspace, cgo, …), both from the environment and from the file of "go env -w".
func findToolchain() (*toolchain, error) {
	wasm := append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	settings, err := goEnv(wasm)
	if err != nil {
		return nil, err
	}
	t := &toolchain{}
	for _, variable := range wasm {
		name, _, _ := strings.Cut(variable, "=")
		if _, known := settings[name]; !known || name == "GOROOT" {
			t.env = append(t.env, variable)
		}
	}
	for _, name := range locations {
		if value := settings[name]; value != "" {
			t.env = append(t.env, name+"="+value)
		}
	}
	t.env = append(t.env, "GOENV=off", "GOWORK=off", "CGO_ENABLED=0", "GOOS=js", "GOARCH=wasm")
	if settings, err = goEnv(t.env); err != nil {
		return nil, err
	}
	t.root, t.version = settings["GOROOT"], settings["GOVERSION"]
	return t, nil
}

// goEnv runs "go env".
func goEnv(env []string) (settings map[string]string, err error) {
	cmd := exec.Command("go", "env", "-json")
	cmd.Env, cmd.Stderr = env, os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &settings)
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings of the go command: %w", err)
	}
	return settings, nil
}

// build runs "go build". It does not use vendored modules, and the wasm contains
// neither local file paths nor the state of the repository.
func (t *toolchain) build(args ...string) error {
	cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-pgo=off"}, args)...)
	var output bytes.Buffer
	cmd.Env, cmd.Stderr = t.env, io.MultiWriter(os.Stderr, &output)
	return explain(cmd.Run(), output.String())
}
