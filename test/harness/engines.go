package harness

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Firefox starts Firefox without a window, with a profile in the folder. It ends at the end of the test.
func Firefox(t *testing.T, profile string, args ...string) *Process {
	t.Helper()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxPreferences), 0o644); err != nil {
		t.Fatal(err)
	}
	program := Program(t, "on Debian: apt-get install firefox-esr", "firefox-esr", "firefox")
	return Start(t, exec.Command(program, append([]string{"--headless", "--no-remote", "--profile", profile}, args...)...))
}

// firefoxPreferences prevent Firefox from using external servers and from showing pages of
// its own. With --marionette, it listens on a free port.
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
user_pref("marionette.port", 0);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.prefetch-next", false);
user_pref("services.settings.server", "data:,");
user_pref("termsofuse.bypassNotification", true);
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
`

// MiniBrowser returns the path of the browser of WebKitGTK.
func MiniBrowser(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser") // Debian installs it outside PATH
	return Program(t, "on Debian: apt-get install webkit2gtk-driver", append(found, "MiniBrowser")...)
}

// WebKitEnvironment starts an X server without a screen. It returns the environment in which WebKitGTK draws on it.
func WebKitEnvironment(t *testing.T) []string {
	t.Helper()
	return []string{
		"DISPLAY=" + display(t), "GDK_BACKEND=x11", "NO_AT_BRIDGE=1", "GSETTINGS_BACKEND=memory", "LIBGL_ALWAYS_SOFTWARE=1",
		"WEBKIT_DISABLE_COMPOSITING_MODE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1",
	}
}

// display starts an X server without a screen and returns the name of its display.
func display(t *testing.T) string {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(Program(t, "on Debian: apt-get install xvfb", "Xvfb"), "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1024x768x24")
	cmd.ExtraFiles = []*os.File{in}
	p := Start(t, cmd)
	in.Close()
	number, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not start: %v\n%s", err, &p.Output)
	}
	return ":" + strings.TrimSpace(number)
}
