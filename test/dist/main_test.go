// Package dist tests the files that "make dist" makes. It uses them as pages and servers do:
// installed from npm in Node, bundled into pages, and loaded from a web server by a script tag.
package dist

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"iot.wasm/test/harness"
)

var (
	// builder is the build tool.
	builder string
	// distDir contains the files of "make dist" without the .br and .gz files.
	distDir string
	// packed is the package that npm makes of distDir. project is the folder of a project
	// that has installed the package.
	packed, project string
	// modules is the folder of the programs that test/npm installs.
	modules string
	// node20 and node22 are the Node programs of test/npm.
	node20, node22 string
)

func TestMain(m *testing.M) { os.Exit(harness.Run(m, prepare, harness.StartChromium)) }

// prepare builds the package and installs it into a project.
func prepare(dir string) (stop func(), err error) {
	if modules, err = harness.Modules(); err != nil {
		return nil, err
	}
	if node20, err = harness.Node(20); err != nil {
		return nil, err
	}
	if node22, err = harness.Node(22); err != nil {
		return nil, err
	}
	builder = filepath.Join(dir, "builder")
	if err := harness.Command(harness.Root, "go", "build", "-o", builder, "./internal/build"); err != nil {
		return nil, err
	}
	distDir = filepath.Join(dir, "dist")
	if err := harness.Command(harness.Root, builder, "-compress=false", "-dist", distDir); err != nil {
		return nil, err
	}
	packed, project, err = install(dir)
	return nil, err
}

// install packs the package and installs it into an empty project.
func install(dir string) (packed, project string, err error) {
	if err := npm(dir, "pack", distDir); err != nil {
		return "", "", err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(names) != 1 {
		return "", "", fmt.Errorf("npm pack has made the packages %v, want one (error: %v)", names, err)
	}
	project = filepath.Join(dir, "project")
	if err := os.Mkdir(project, 0o755); err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(project, "package.json"), []byte(`{"private":true,"type":"module"}`), 0o644); err != nil {
		return "", "", err
	}
	return names[0], project, npm(project, "install", names[0])
}

// npm runs npm without network and without files in the user's home.
func npm(dir string, args ...string) error {
	return harness.Command(dir, "npm", append(args, "--offline", "--no-audit", "--no-fund", "--no-update-notifier",
		"--cache", filepath.Join(filepath.Dir(distDir), "npm"))...)
}
