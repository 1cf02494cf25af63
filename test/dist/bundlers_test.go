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
)

// A result is what the scripts in testdata leave behind.
type result struct {
	Heard, Error      string
	Classes, Cognito  string
	Connects, Effects int
}

// heard is the result where all is well.
var heard = result{Heard: "world", Classes: "IotClient,Subscription,Message", Connects: 1}

// TestBundlers builds pages without any configuration, and opens them.
func TestBundlers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page    string // a folder in testdata
		program string // the bundler, run by Node in the page's folder
		args    []string
		out     string // the folder that it fills
		copied  []string
		effects int
	}{
		"vite": {page: "react", program: "vite/bin/vite.js", args: []string{"build"}, out: "dist", effects: 2},
		"webpack": {page: "plain", program: "webpack-cli/bin/cli.js", args: []string{"--mode", "production", "--entry", "./main.js"}, out: "dist",
			copied: []string{"index.html"}},
		// esbuild lets new URL() stand as it is, so the wasm has to be brought.
		"esbuild": {page: "plain", program: "esbuild/bin/esbuild", args: []string{"main.js", "--bundle", "--format=esm", "--minify", "--outdir=dist"}, out: "dist",
			copied: []string{"index.html", "node_modules/iot.wasm/iot.wasm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := pageProject(t, c.page)
			if name == "esbuild" { // a program of its own
				if err := command(dir, filepath.Join(modules, c.program), c.args...); err != nil {
					t.Fatal(err)
				}
			} else if err := command(dir, node(22), append([]string{filepath.Join(modules, c.program)}, c.args...)...); err != nil {
				t.Fatal(err)
			}
			for _, name := range c.copied {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, c.out, filepath.Base(name)), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s := serve(t, filepath.Join(dir, c.out))
			check(t, s, s.url, c.effects)
		})
	}
}

// TestViteDev opens a page in Vite's server for developing, which bundles
// dependencies beforehand into a folder of its own, where no wasm is.
func TestViteDev(t *testing.T) {
	t.Parallel()
	dir := pageProject(t, "react")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, node(22), filepath.Join(modules, "vite/bin/vite.js"), "--host", "127.0.0.1", "--port", "0")
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
			check(t, serve(t, distDir), at, 4) // StrictMode doubles the two
			return
		}
	}
	t.Fatalf("vite names no address: %v", lines.Err())
}

// check opens a page, which is to connect once, and to hear its own message.
func check(t *testing.T, s *standIn, at string, effects int) {
	t.Helper()
	got := read[result](t, at+"?server="+url.QueryEscape(s.url), "globalThis.result")
	want := heard
	want.Cognito, want.Effects = "function", effects
	if got != want {
		t.Errorf("the page says %+v, want %+v", got, want)
	}
	if n := s.sockets.Load(); n != 1 {
		t.Errorf("the page opened %d sockets", n)
	}
}

// pageProject is a project of the test's own that has installed the package,
// with a page's source. React comes from test/npm.
func pageProject(t *testing.T, page string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"react", "react-dom"} {
		if err := os.Symlink(filepath.Join(modules, name), filepath.Join(dir, "node_modules", name)); err != nil {
			t.Fatal(err)
		}
	}
	copyTo(t, dir, "hello.js", page+"/index.html", page+"/main.js")
	return dir
}
