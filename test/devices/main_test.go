// Package devices tests shadows, jobs and presence in Chromium: pages that are devices and applications,
// connected to the stand-in for AWS IoT Core.
//
// Each scene runs three times: without a disturbance, across a lost connection, and across a restart of a
// stand-in that is killed and keeps its state with -data. The pages keep the keys that they got before.
package devices

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, harness.RequireWasm, harness.BuildServe, harness.StartChromium))
}

// patience is how long a tab may take for one operation. It is longer than any test needs.
const patience = time.Minute

// A scene is a stand-in, and a web server for the pages of testdata/.
type scene struct {
	t        *testing.T
	server   *harness.Server
	settings harness.Settings
	web      string // the address of the web server
	// disturb interrupts all connections, and calls during while they are interrupted, or about to be
	// established again.
	disturb func(during func())
	// connects is how many connections a page that was open during disturb has had.
	connects string
}

// run runs a scene with each disturbance.
func run(t *testing.T, play func(t *testing.T, s *scene)) {
	for _, disturbance := range []string{"none", "reconnect", "restart"} {
		t.Run(disturbance, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := &scene{t: t, server: harness.Serve(t, "-faults", "-data", data), connects: "2"}
			s.settings = s.server.Settings()
			s.web = pages(t, s.settings, nil)
			switch disturbance {
			case "none":
				s.connects = "1"
				s.disturb = func(during func()) { during() }
			case "reconnect":
				s.disturb = func(during func()) {
					s.server.Control(`{"cut":"*"}`)
					during()
				}
			case "restart":
				s.disturb = func(during func()) {
					s.server.Kill()
					during()
					s.server = harness.Serve(t, "-addr", s.server.Addr, "-faults", "-data", data)
				}
			}
			play(t, s)
		})
	}
}

// pages serves the module, and a page for each script of testdata/ and of further, which contains the texts
// of scripts by name. The page of the script x.js is /x.
func pages(t *testing.T, settings harness.Settings, further map[string]string) (url string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"endpoint": settings.Endpoint, "region": settings.Region,
		"credentials": map[string]string{"accessKeyId": settings.Credentials.AccessKeyID, "secretAccessKey": settings.Credentials.SecretAccessKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := harness.Files{"/settings.json": {Body: string(text)}}
	scripts := maps.Clone(further)
	if scripts == nil {
		scripts = map[string]string{}
	}
	names, err := filepath.Glob("testdata/*.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts[filepath.Base(name)] = string(text)
	}
	for name, text := range scripts {
		files["/pages/"+name] = harness.File{Body: text}
		files["/"+name[:len(name)-len(".js")]] = harness.File{
			Body: `<!doctype html><meta charset=utf-8><title>` + name + `</title><link rel=icon href=data:,><button>Go</button> <output></output>` +
				`<script type="module" src="/pages/` + name + `"></script>`,
		}
	}
	return harness.Web(t, filepath.Join(harness.Root, "www"), files)
}

// open opens a page in a tab.
func (s *scene) open(page string) *harness.Tab {
	s.t.Helper()
	return harness.Open(s.t, harness.Browser, s.web+"/"+page, patience)
}

// openReady opens a page in a tab, and waits until its script has set ready.
func (s *scene) openReady(page string) *harness.Tab {
	s.t.Helper()
	b := s.open(page)
	b.Until(`globalThis.ready`)
	return b
}

// shows waits until the text of a page is equal to text.
func shows(b *harness.Tab, text string) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`document.querySelector("output").textContent === %q`, text))
}
