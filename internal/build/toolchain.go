package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// toolchain is the go command in an environment in which it builds the same bytes
// for everybody.
type toolchain struct {
	root    string // GOROOT
	version string // GOVERSION, as runtime.Version has it
	env     []string
}

// placing are the settings of the go command that say where it finds things and
// where it keeps them. They do not change what it builds. GOROOT is not among them,
// as the go command may hand over to another toolchain.
var placing = []string{
	"GOAUTH", "GOBIN", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH",
	"GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTELEMETRYDIR", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// findToolchain asks the go command for its settings. All that could change the
// wasm (GOFLAGS, GOEXPERIMENT, GOWASM, GOFIPS140, GODEBUG, a workspace, cgo, …) is
// left out, whether it comes from the environment or from the file of "go env -w".
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
	for _, name := range placing {
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

func goEnv(env []string) (settings map[string]string, err error) {
	cmd := exec.Command("go", "env", "-json")
	cmd.Env, cmd.Stderr = env, os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &settings)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the go command for its settings: %w", err)
	}
	return settings, nil
}

// build runs "go build" for what of the wasm's sources is in this folder. It takes
// no vendored copies of modules, and writes nothing about the repository into the
// wasm.
func (t *toolchain) build(args ...string) error {
	cmd := exec.Command("go", slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-pgo=off"}, args)...)
	cmd.Env, cmd.Stderr = t.env, os.Stderr
	return cmd.Run()
}
