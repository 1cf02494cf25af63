package devices

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

var codeBlock = regexp.MustCompile("(?s)```js\n(.*?)```")

// examples returns the scripts in the section of docs/embedding.md with this title.
func examples(t *testing.T, title string) (scripts []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root, "docs/embedding.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+title+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range codeBlock.FindAllStringSubmatch(section, -1) {
		scripts = append(scripts, block[1])
	}
	return scripts
}

// The examples of docs/embedding.md for shadows, jobs and presence run as they are, in connected pages.
func TestExamples(t *testing.T) {
	s := &scene{t: t, server: harness.Serve(t)}
	s.settings = s.server.Settings()
	scripts := map[string]string{}
	for title, n := range map[string]int{"Device shadows": 2, "Jobs": 1, "Presence": 1} {
		found := examples(t, title)
		if len(found) != n {
			t.Fatalf("the section %q has %d examples, want %d", title, len(found), n)
		}
		for i, script := range found {
			begin := ""
			for _, line := range []string{`import iot from "./iot.js";`, `import { shadow } from "./shadow.js";`} {
				if !strings.Contains(script, line) {
					begin += line + "\n"
				}
			}
			name := fmt.Sprintf("%s-%d.js", strings.ReplaceAll(strings.ToLower(title), " ", "-"), i+1)
			scripts[name] = `import "/pages/connected.js";` + "\n" + strings.ReplaceAll(begin+script, `"./`, `"/`)
		}
	}
	s.web = pages(t, s.settings, scripts)
	if err := s.settings.CreateThing("lamp"); err != nil {
		t.Fatal(err)
	}
	if err := s.settings.CreateJob("blink", "lamp", `{"times":3}`); err != nil {
		t.Fatal(err)
	}
	s.open("jobs-1").Until(`globalThis.ran?.times === 3`)
	present := s.openReady("presence-1")
	s.open("device-shadows-2")
	lamp := s.openReady("device-shadows-1")
	lamp.Until(`logs.some(([reported, desired, delta, version]) => reported?.on && desired.on && !delta && version === 2)`)
	present.Until(`logs.some(([clientId, connected, n]) => clientId.startsWith("iot-") && connected && n > 0)`)
	present.Eval(`const { jobs } = await import("/jobs.js"); globalThis.lamp = jobs(iot, "lamp")`, nil)
	present.Until(`lamp.describe("blink").then(() => false, (e) => e.code === "ERR_JOBS_TERMINAL")`)
}
