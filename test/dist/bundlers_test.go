package dist

import (
	"bufio"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// An outcome is the result of a script in testdata.
type outcome struct {
	Received, Error   string
	Classes, Cognito  string
	Connects, Effects int
}

// success is the outcome without an error.
var success = outcome{Received: "world", Classes: "IotClient,Subscription,Message", Connects: 1}

// TestBundlers bundles pages without any configuration and opens them.
func TestBundlers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page    string // a folder in testdata
		program string // the bundler; Node runs it in the page's folder
		args    []string
		copied  []string // files to copy into the bundle's folder, dist
		effects int
	}{
		"vite": {page: "react", program: "vite/bin/vite.js", args: []string{"build"}, effects: 2},
		"webpack": {page: "plain", program: "webpack-cli/bin/cli.js", args: []string{"--mode", "production", "--entry", "./main.js"},
			copied: []string{"index.html"}},
		// esbuild does not process new URL(), so the test copies the wasm.
		"esbuild": {page: "plain", program: "esbuild/bin/esbuild", args: []string{"main.js", "--bundle", "--format=esm", "--minify", "--outdir=dist"},
			copied: []string{"index.html", "node_modules/iot.wasm/iot.wasm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := pageProject(t, c.page)
			program, args := node22, append([]string{filepath.Join(modules, c.program)}, c.args...)
			if name == "esbuild" { // a native program
				program, args = args[0], args[1:]
			}
			if err := harness.Command(dir, program, args...); err != nil {
				t.Fatal(err)
			}
			for _, name := range c.copied {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "dist", filepath.Base(name)), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s := harness.ServeStandIn(t, filepath.Join(dir, "dist"))
			check(t, s, s.URL, c.effects)
		})
	}
}

// TestViteDev opens a page of Vite's development server. The server bundles dependencies
// into a folder that does not contain the wasm.
func TestViteDev(t *testing.T) {
	t.Parallel()
	dir := pageProject(t, "react")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, node22, filepath.Join(modules, "vite/bin/vite.js"), "--host", "127.0.0.1", "--port", "0")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if at := address.FindString(lines.Text()); at != "" {
			check(t, harness.ServeStandIn(t, distDir), at, 4) // StrictMode runs each of the two effects twice
			return
		}
	}
	t.Fatalf("Vite prints no address: %v", lines.Err())
}

// check opens a page that connects once and receives its own message. effects is the number
// of times that React must run the page's effects.
func check(t *testing.T, s *harness.StandIn, at string, effects int) {
	t.Helper()
	got := read[outcome](t, at+"?server="+url.QueryEscape(s.URL), "globalThis.outcome")
	want := success
	want.Cognito, want.Effects = "function", effects
	if got != want {
		t.Errorf("the outcome is %+v, want %+v", got, want)
	}
	if n := s.Sockets.Load(); n != 1 {
		t.Errorf("the page opened %d sockets, want 1", n)
	}
}

// pageProject makes a project that has installed the package and contains the sources of a
// page. It returns the project's folder. The project uses React and Vue from test/npm.
func pageProject(t *testing.T, page string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	if err := harness.LinkModules(dir, "react", "react-dom", "vue"); err != nil {
		t.Fatal(err)
	}
	copyTo(t, dir, "hello.js", page+"/index.html", page+"/main.js")
	return dir
}
