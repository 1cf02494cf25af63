package places

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	p := start(t, exec.Command(program(t, "on Debian: apt-get install chromium", harness.ChromiumNames...),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-breakpad", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", s.web.URL+"/place/"+places[0]))
	s.watch(t, p, places...)
}

func TestFirefox(t *testing.T) {
	t.Parallel()
	s := newSite(t, "firefox", www(), browserPlaces...)
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxPreferences), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command(program(t, "on Debian: apt-get install firefox-esr", "firefox-esr", "firefox"),
		"--headless", "--no-remote", "--profile", profile, s.web.URL+"/place/"+browserPlaces[0]))
	s.watch(t, p, browserPlaces...)
}

// firefoxPreferences prevent Firefox from using external servers and from showing pages of
// its own.
const firefoxPreferences = `
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.prefetch-next", false);
user_pref("services.settings.server", "data:,");
user_pref("termsofuse.bypassNotification", true);
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
`

func TestWebKit(t *testing.T) {
	t.Parallel()
	s := newSite(t, "webkit", www(), browserPlaces...)
	found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser") // Debian installs it outside PATH
	browser := program(t, "on Debian: apt-get install webkit2gtk-driver", append(found, "MiniBrowser")...)
	p := start(t, exec.Command(browser, "--private", s.web.URL+"/place/"+browserPlaces[0]), "DISPLAY="+display(t),
		"GDK_BACKEND=x11", "NO_AT_BRIDGE=1", "GSETTINGS_BACKEND=memory", "LIBGL_ALWAYS_SOFTWARE=1",
		"WEBKIT_DISABLE_COMPOSITING_MODE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1")
	s.watch(t, p, browserPlaces...)
}

// display starts an X server without a screen and returns the name of its display.
func display(t *testing.T) string {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program(t, "on Debian: apt-get install xvfb", "Xvfb"), "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1024x768x24")
	cmd.ExtraFiles = []*os.File{in}
	p := start(t, cmd)
	in.Close()
	number, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not start: %v\n%s", err, &p.output)
	}
	return ":" + strings.TrimSpace(number)
}
