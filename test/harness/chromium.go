package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// ChromiumNames are the names of Chromium's program, the preferred one first.
var ChromiumNames = []string{"chromium", "chromium-browser", "google-chrome"}

// Local is an option that makes a browser resolve only the names of this machine.
var Local = chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")

// Browser is the Chromium that StartChromium has started.
var Browser context.Context

// StartChromium is a Step that starts the Chromium that all tests of a package share.
func StartChromium(string) (stop func(), err error) {
	Browser, stop, err = LaunchChromium(context.Background(), Local)
	return stop, err
}

// LaunchChromium starts a Chromium without a window and with a new profile. The Chromium
// ends when parent ends, or when stop is called. Only stop removes the profile.
// LaunchChromium fails if Chromium is not installed or does not start.
func LaunchChromium(parent context.Context, flags ...chromedp.ExecAllocatorOption) (_ context.Context, stop func(), err error) {
	path := ""
	for _, name := range ChromiumNames {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, nil, errors.New("chromium is not installed; on Debian: apt-get install chromium")
	}
	profile, err := os.MkdirTemp("", "iot-chromium-")
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(parent, append(options, flags...)...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	stop = func() {
		stopBrowser()
		stopAllocator()
		_ = os.RemoveAll(profile)
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, stop, nil
}
