package places

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inBrowsers are the places of a browser, each with a page of its own at /place/.
var inBrowsers = []string{"window", "classic", "worker", "sharedworker", "csp", "sandbox"}

func TestChromium(t *testing.T) {
	t.Parallel()
	s := newSite(t, "chromium", inBrowsers...)
	p := start(t, exec.Command(program(t, "on Debian: apt-get install chromium", "chromium", "chromium-browser", "google-chrome"),
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-breakpad", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", s.web.URL+"/place/"+inBrowsers[0]))
	s.watch(t, p, inBrowsers...)
}

func TestFirefox(t *testing.T) {
	t.Parallel()
	s := newSite(t, "firefox", inBrowsers...)
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxPreferences), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command(program(t, "on Debian: apt-get install firefox-esr", "firefox-esr", "firefox"),
		"--headless", "--no-remote", "--profile", profile, s.web.URL+"/place/"+inBrowsers[0]))
	s.watch(t, p, inBrowsers...)
}

// firefoxPreferences keep it off the network, and its own pages out of the way.
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
	s := newSite(t, "webkit", inBrowsers...)
	found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser") // where Debian puts it, outside PATH
	browser := program(t, "on Debian: apt-get install webkit2gtk-driver", append(found, "MiniBrowser")...)
	p := start(t, exec.Command(browser, "--private", s.web.URL+"/place/"+inBrowsers[0]), "DISPLAY="+display(t),
		"GDK_BACKEND=x11", "NO_AT_BRIDGE=1", "GSETTINGS_BACKEND=memory", "LIBGL_ALWAYS_SOFTWARE=1",
		"WEBKIT_DISABLE_COMPOSITING_MODE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1")
	s.watch(t, p, inBrowsers...)
}

// display starts an X server without a screen, which chooses its own number.
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
