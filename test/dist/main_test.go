// Package dist uses what "make dist" makes as others will: installed from npm in
// Node, bundled into pages, and from a web server by a script tag.
package dist

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"iot.wasm/test/chromium"
)

const root = "../.."

var (
	// distDir is what "make dist" makes, but for the .br and .gz.
	distDir string
	// packed is the same, as npm packs it, installed into an empty project.
	packed, project string
	// modules are the programs that test/npm names.
	modules string
	// browser is the Chromium that the pages share, each in a profile of its own.
	browser context.Context
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "iot-dist-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var stop func()
	browser, stop, err = chromium.Launch(context.Background(), chromium.Local)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// prepare makes the package and a project that has installed it, and begins to
// make it a second time, compressed.
func prepare(dir string) error {
	var err error
	if modules, err = filepath.Abs(filepath.Join(root, "test/npm/node_modules")); err != nil {
		return err
	}
	if _, err := os.Stat(node(22)); err != nil {
		return fmt.Errorf("%w; run: npm ci --prefix test/npm", err)
	}
	builder := filepath.Join(dir, "builder")
	if err := command(root, "go", "build", "-o", builder, "./internal/build"); err != nil {
		return err
	}
	distDir = filepath.Join(dir, "dist")
	if err := command(root, builder, "-compress=false", "-dist", distDir); err != nil {
		return err
	}
	go func() {
		second.dir = filepath.Join(dir, "second")
		second.err = command(root, builder, "-dist", second.dir)
		close(second.done)
	}()
	if err := npm(dir, "pack", distDir); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(names) != 1 {
		return fmt.Errorf("npm pack made %v, %v", names, err)
	}
	packed, project = names[0], filepath.Join(dir, "project")
	if err := os.Mkdir(project, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(project, "package.json"), []byte(`{"private":true,"type":"module"}`), 0o644); err != nil {
		return err
	}
	return npm(project, "install", packed)
}

// second is the second build, in the background, as brotli takes its time.
var second = struct {
	dir  string
	err  error
	done chan struct{}
}{done: make(chan struct{})}

// node is the Node of a major version, 20 or 22.
func node(major int) string {
	return filepath.Join(modules, fmt.Sprintf("node-%d", major), "bin", "node")
}

// command runs a program in a folder; what it says is in the error.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, out)
	}
	return nil
}

// npm runs npm without the network, and without a trace in the user's home.
func npm(dir string, args ...string) error {
	return command(dir, "npm", append(args, "--offline", "--no-audit", "--no-fund", "--no-update-notifier",
		"--cache", filepath.Join(filepath.Dir(distDir), "npm"))...)
}
