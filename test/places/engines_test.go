package places

import (
	"os/exec"
	"path/filepath"
	"testing"

	"iot.wasm/test/harness"
)

// browserPlaces are the places of a browser. Each has a page at /place/<name>.
var browserPlaces = []string{"window", "classic", "worker", "sharedworker", "csp", "sandbox"}

func TestChromium(t *testing.T) {
	t.Parallel()
	testChromium(t, newSite(t, "chromium", www(), browserPlaces...), browserPlaces...)
}

// TestDist runs the suite against the files that "make dist" makes. Their scripts are
// minified and have other property names than those of www/.
func TestDist(t *testing.T) {
	t.Parallel()
	dist := filepath.Join(t.TempDir(), "dist")
	if _, err := harness.Build("-compress=false", "-dist", dist); err != nil {
		t.Fatal(err)
	}
	testChromium(t, newSite(t, "chromium", dist, "window"), "window")
}

func testChromium(t *testing.T, s *site, places ...string) {
	t.Helper()
	p := harness.Start(t, exec.Command(harness.Program(t, "on Debian: apt-get install chromium", harness.ChromiumNames...),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-breakpad", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", s.web.URL+"/place/"+places[0]))
	s.watch(t, p, places...)
}

func TestFirefox(t *testing.T) {
	t.Parallel()
	s := newSite(t, "firefox", www(), browserPlaces...)
	s.watch(t, harness.Firefox(t, t.TempDir(), s.web.URL+"/place/"+browserPlaces[0]), browserPlaces...)
}

func TestWebKit(t *testing.T) {
	t.Parallel()
	s := newSite(t, "webkit", www(), browserPlaces...)
	s.watch(t, harness.Start(t, exec.Command(harness.MiniBrowser(t), "--private", s.web.URL+"/place/"+browserPlaces[0]), harness.WebKitEnvironment(t)...), browserPlaces...)
}
