// Package harness starts the programs and servers that the other packages in test/ need:
// serve.go, the stand-in for AWS IoT Core, Chromium and its tabs, and small servers on
// this machine.
//
// Its paths are relative to the working directory of a test, which is the folder of the
// tested package.
package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Root is the project's folder, relative to a folder of tests such as test/e2e.
const Root = "../.."

// A Step prepares a resource that all tests of a package share. It may write to dir, a
// temporary folder. If stop is not nil, Run calls it after the tests.
type Step func(dir string) (stop func(), err error)

// Run performs the steps in their order, runs the tests of a package and returns the exit
// code. TestMain calls it. If a step fails, Run prints the error and runs no test.
func Run(m *testing.M, steps ...Step) (code int) {
	dir, err := os.MkdirTemp("", "iot-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, step := range steps {
		stop, err := step(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if stop != nil {
			defer stop()
		}
	}
	return m.Run()
}

// RequireWasm is a Step that fails if "make wasm" has not been run.
func RequireWasm(string) (stop func(), err error) {
	if _, err := os.Stat(filepath.Join(Root, "www/iot.wasm")); err != nil {
		return nil, errors.New("www/iot.wasm is missing; run: make wasm")
	}
	return nil, nil
}

// Command runs a program in the folder dir. The error contains the program's output.
func Command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}

// Build runs internal/build, the build tool, in the project's folder. It returns the text
// that the tool prints, without surrounding space. With the argument -stamp, the text is
// the version of the current sources. The error contains the tool's messages.
func Build(args ...string) (output string, err error) {
	cmd := exec.Command("go", append([]string{"run", "./internal/build"}, args...)...)
	cmd.Dir = Root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("internal/build %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// Modules returns the absolute path of the folder that contains the npm packages of
// test/npm. It does not check that they are installed.
func Modules() (path string, err error) {
	return filepath.Abs(filepath.Join(Root, "test/npm/node_modules"))
}

// Node returns the absolute path of the Node program of a major version, 20 or 22. It
// fails if npm has not installed test/npm.
func Node(major int) (path string, err error) {
	modules, err := Modules()
	if err != nil {
		return "", err
	}
	path = filepath.Join(modules, fmt.Sprintf("node-%d", major), "bin/node")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; run: npm ci --prefix test/npm", err)
	}
	return path, nil
}
