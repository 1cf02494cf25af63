package devices

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// A switch changes the desired state of a light bulb. The bulb gets the difference and reports its state,
// which the switch shows.
func TestBulb(t *testing.T) {
	run(t, func(t *testing.T, s *scene) {
		bulb, control := s.open("bulb"), s.openReady("switch")
		control.Click("button")
		shows(bulb, "on")
		shows(control, "on")
		control.Is(`steps.splice(0)`, `[[true,true,null],[true,null,true]]`)
		s.disturb(func() { control.Click("button") })
		shows(bulb, "off")
		shows(control, "off")
		control.Is(`steps.at(-1)`, `[false,null,false]`)
		control.Is(`(await update).version`, `3`)
		control.Click("button")
		shows(bulb, "on")
		shows(control, "on")
		bulb.Is(`versions`, `[1,3,5]`)
		for _, b := range []*harness.Tab{bulb, control} {
			b.Is(`iot.stats().connects`, s.connects)
		}
	})
}

// Two pages update a shadow with the same version. The second update is rejected, and succeeds with retry.
func TestVersionConflict(t *testing.T) {
	run(t, func(t *testing.T, s *scene) {
		one, two := s.openReady("counter"), s.openReady("counter")
		one.Is(`(await increment()).version`, `1`)
		for _, b := range []*harness.Tab{one, two} {
			b.Is(`(await counter.get()).version`, `1`)
		}
		s.disturb(func() { one.Eval(`globalThis.first = counter.update({ reported: { n: 2 } }, { version: 1 }); 0`, nil) })
		one.Is(`(await first).version`, `2`)
		two.Fails(`counter.update({ reported: { n: 2 } }, { version: 1 })`, "IotError", "ERR_SHADOW_VERSION")
		two.Is(`(await counter.update({ reported: { n: 3 } }, { version: 1, retry: 1 })).version`, `3`)
		for _, b := range []*harness.Tab{one, two} {
			b.Eval(`globalThis.all = Promise.all(Array.from({ length: 10 }, () => increment({ retry: 100 }))); 0`, nil)
		}
		for _, b := range []*harness.Tab{one, two} {
			b.Is(`(await all).length`, `10`)
		}
		one.Is(`[(await counter.get()).state.reported.n, counter.version]`, `[23,23]`)
		two.Is(`iot.stats().connects`, s.connects)
	})
}

// A page runs a job. It is reloaded after the first step, and continues with the second one.
func TestJob(t *testing.T) {
	run(t, func(t *testing.T, s *scene) {
		if err := s.settings.CreateThing("device"); err != nil {
			t.Fatal(err)
		}
		s.createJob("update-1")
		s.hasStatus("update-1", "QUEUED")
		device := s.open("device")
		shows(device, "update-1: step 1")
		s.hasStatus("update-1", "IN_PROGRESS")
		device.Is(`executions`, `[["update-1","QUEUED",null]]`)
		s.disturb(func() { device.Do(chromedp.Reload()) })
		shows(device, "update-1: step 2")
		device.Is(`executions`, `[["update-1","IN_PROGRESS",{"step":"1"}]]`)
		s.hasStatus("update-1", "IN_PROGRESS")
		s.disturb(func() { device.Click("button") })
		shows(device, "update-1: done")
		s.hasStatus("update-1", "SUCCEEDED")
		s.createJob("update-2")
		shows(device, "update-2: step 1")
		s.disturb(func() { device.Click("button") })
		shows(device, "update-2: step 2")
		device.Click("button")
		shows(device, "update-2: done")
		s.hasStatus("update-2", "SUCCEEDED")
		device.Is(`executions`, `[["update-1","IN_PROGRESS",{"step":"1"}],["update-2","QUEUED",null]]`)
	})
}

func (s *scene) createJob(id string) {
	s.t.Helper()
	if err := s.settings.CreateJob(id, "device", `{"steps":2}`); err != nil {
		s.t.Fatal(err)
	}
}

// hasStatus checks the status of the execution of a job.
func (s *scene) hasStatus(job, want string) {
	s.t.Helper()
	var answer struct{ Execution struct{ Status string } }
	if err := s.settings.Call(http.MethodGet, "/things/device/jobs/"+job, nil, &answer); err != nil {
		s.t.Fatal(err)
	}
	if got := answer.Execution.Status; got != want {
		s.t.Errorf("%s has the status %q, want %q", job, got, want)
	}
}

// A page shows which tabs are connected. The process of one tab is killed, another tab is closed, and the
// whole browser of a third one is killed.
func TestPresence(t *testing.T) {
	run(t, func(t *testing.T, s *scene) {
		watcher := s.openReady("watcher")
		browser, stop, err := harness.LaunchChromium(context.Background(), harness.Local, inGroup)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		tabs := map[string]*harness.Tab{
			"crashed": s.openReady("tab#crashed"), "closed": s.openReady("tab#closed"),
			"killed": harness.Open(t, browser, s.web+"/tab#killed", patience),
		}
		versions := map[string]float64{}
		for id := range tabs {
			versions[id] = harness.Await[float64](watcher, fmt.Sprintf(`clients.get(%q)?.versionNumber`, id))
		}
		s.disturb(func() {})
		compare := ">"
		if s.connects == "1" {
			compare = "==="
		}
		for id, b := range tabs {
			b.Until(`iot.state === "connected" && iot.stats().connects === ` + s.connects)
			watcher.Until(fmt.Sprintf(`clients.get(%q)?.versionNumber %s %v`, id, compare, versions[id]))
		}
		watcher.Eval(`ends.length = 0`, nil)
		ends := func(id, reason string, byClient bool) {
			t.Helper()
			watcher.Until(fmt.Sprintf(`!clients.has(%q)`, id))
			watcher.Is(`ends.splice(0)`, fmt.Sprintf(`[[%q,%q,%v]]`, id, reason, byClient))
		}
		if err := syscall.Kill(-chromedp.FromContext(browser).Browser.Process().Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		ends("killed", "CONNECTION_LOST", false)
		// Chromium's network process closes the WebSocket of a tab whose process ends.
		tabs["crashed"].Crash()
		ends("crashed", "CLIENT_INITIATED_DISCONNECT", true)
		tabs["closed"].Close()
		ends("closed", "CLIENT_INITIATED_DISCONNECT", true)
		again := s.openReady("tab#closed")
		watcher.Until(`clients.has("closed")`)
		again.Eval(`await iot.disconnect()`, nil)
		ends("closed", "CLIENT_INITIATED_DISCONNECT", true)
	})
}

// inGroup starts Chromium in a process group of its own, so that a signal ends all of its processes at the
// same time. Otherwise its network process would close the WebSockets after the end of the browser.
var inGroup = chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} })
