package demos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// device returns an expression for a part of the card of a device.
func device(n int, selector string) string {
	return fmt.Sprintf(`document.querySelector("[aria-label=demo-device-%d] %s")`, n, selector)
}

// installs waits until a device shows a status, and a progress of at least min.
func installs(p *person, n int, status string, min int) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`%s.textContent === %q && %s.value >= %d`, device(n, ".status"), status, device(n, "progress"), min))
}

// update starts an update of the given devices with the form.
func update(p *person, version string, devices ...int) {
	p.T.Helper()
	p.Eval(fmt.Sprintf(`for (const box of document.querySelectorAll("form [type=checkbox]")) box.checked = %s.includes(Number(box.value.at(-1)))`, marshal(devices)), nil)
	p.Fill("[name=version]", version)
	p.Click("form button")
}

func marshal(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

// openJobs opens the demo, and waits until its devices wait for jobs. It checks the quota of AWS IoT Core of 50
// subscriptions in a connection.
func openJobs(t *testing.T, s *harness.Server) *person {
	t.Helper()
	p := open(t, s.URL+"demos/jobs.html")
	p.Eval(`globalThis.iot = (await import("/iot.js")).default`, nil)
	p.ready()
	return p
}

// ready waits for the subscriptions of the devices: state, fault, notify-next, and the answers of get.
func (p *person) ready() {
	p.T.Helper()
	p.Until(`iot.stats().subscriptions >= 20 && iot.stats().subscriptions <= 50`)
}

func TestJobs(t *testing.T) {
	s := harness.Serve(t, "-faults")
	a, b := openJobs(t, s), openJobs(t, s)

	// Both see the progress of a job, and a person who comes later sees the result. The fourth device has no job.
	b.Click("[aria-label=demo-device-2] input")
	a.Until(device(2, "input") + `.checked`)
	update(a, "2.0.0", 1, 2, 3)
	for _, p := range []*person{a, b} {
		installs(p, 1, "Installing 2.0.0", 10)
	}

	// A cut in the middle delays the update.
	lose(s, a, b)
	for _, p := range []*person{a, b} {
		for _, n := range []int{1, 3} {
			installs(p, n, "Installed 2.0.0", 100)
			p.Is(device(n, ".firmware")+`.textContent`, `"Firmware 2.0.0"`)
		}
		installs(p, 2, "Failed 2.0.0: the checksum of the firmware is wrong", 40)
		p.Is(device(2, ".firmware")+`.textContent`, `"Firmware 1.0.0"`)
		p.Is(device(4, ".status")+`.textContent`, `"No update yet"`)
	}
	a.Is(`iot.stats().subscriptions`, "26") // 7 for each device that has got a job, and 5 for the other one
	c := openJobs(t, s)
	installs(c, 1, "Installed 2.0.0", 100)
	installs(c, 2, "Failed 2.0.0: the checksum of the firmware is wrong", 40)
	c.Accessible()
	c.Close()

	// The retry is a new job for this device.
	b.Until(`!` + device(2, "input") + `.checked`)
	b.Is(device(1, "button")+`.hidden`, "true")
	b.Click("[aria-label=demo-device-2] button")
	installs(a, 2, "Installed 2.0.0", 100)
	a.Is(device(2, "button")+`.hidden`, "true")

	// Only one of the windows has done it: an execution begins with version 1, and has one update for each step.
	settings := s.Settings()
	var list struct {
		ExecutionSummaries []struct {
			JobID               string
			JobExecutionSummary struct{ Status string }
		}
	}
	if err := settings.Call(http.MethodGet, "/things/demo-device-2/jobs?status=SUCCEEDED", nil, &list); err != nil || len(list.ExecutionSummaries) != 1 {
		t.Fatalf("%v: %+v", err, list)
	}
	var described struct {
		Execution struct {
			VersionNumber int
			StatusDetails struct{ DetailsMap map[string]string }
		}
	}
	if err := settings.Call(http.MethodGet, "/things/demo-device-2/jobs/"+list.ExecutionSummaries[0].JobID, nil, &described); err != nil {
		t.Fatal(err)
	}
	if e := described.Execution; e.VersionNumber < 12 || e.VersionNumber > 15 || e.StatusDetails.DetailsMap["progress"] != "100" {
		t.Errorf("the execution is %+v, want version 12", e)
	}
}

// An update continues after a reload of its window, and in another window if its own one was closed.
func TestJobsInterrupted(t *testing.T) {
	s := harness.Serve(t)
	a := openJobs(t, s)
	settings := s.Settings()
	for _, thing := range []string{"demo-device-1", "demo-device-3"} {
		if err := settings.CreateThing(thing); err != nil {
			t.Fatal(err)
		}
	}
	// A backend has created the job.
	if err := settings.CreateJob("backend", "demo-device-1", `{"version":"3.0.0"}`); err != nil {
		t.Fatal(err)
	}
	installs(a, 1, "Installing 3.0.0", 30)
	a.Do(chromedp.Navigate(s.URL + "demos/jobs.html"))
	a.Until(`Boolean(` + device(1, "output") + `)`)
	a.Eval(`globalThis.seen = [];
		new MutationObserver(() => seen.push(`+device(1, "progress")+`.value)).observe(`+device(1, "output")+`, { childList: true })`, nil)
	installs(a, 1, "Installed 3.0.0", 100)
	a.Is(`seen.filter((n) => n > 0 && n < 30)`, "[]") // it does not begin again

	// Its window is closed, and another one continues. The other one cannot send an update before.
	b := openJobs(t, s)
	b.Eval(`globalThis.refused = 0;
		globalThis.publish = iot.publish;
		iot.publish = (topic, ...rest) => topic.endsWith("/update") ? Promise.reject(new Error(refused++)) : publish.call(iot, topic, ...rest)`, nil)
	update(a, "3.1.0", 1)
	installs(b, 1, "Installing 3.1.0", 20)
	b.Until(`refused > 0`)
	a.Close()
	b.Eval(`iot.publish = publish`, nil)
	installs(b, 1, "Installed 3.1.0", 100)

	// A job without a version, and one that is canceled in the middle.
	for id, document := range map[string]string{"null": `null`, "object": `{"version":{"toString":1}}`, "empty": `{"version":""}`} {
		if err := settings.CreateJob(id, "demo-device-3", document); err != nil {
			t.Fatal(err)
		}
	}
	installs(b, 3, "Rejected: the job names no version", 0)
	if err := settings.CreateJob("canceled", "demo-device-3", `{"version":"4.0.0"}`); err != nil {
		t.Fatal(err)
	}
	installs(b, 3, "Installing 4.0.0", 0)
	if err := settings.Call(http.MethodPut, "/jobs/canceled/cancel?force=true", nil, nil); err != nil {
		t.Fatal(err)
	}
	b.Until(device(3, ".status") + `.textContent === "Canceled 4.0.0"`)
}

// The messages of other people do not break the page, and are text.
func TestJobsMalformed(t *testing.T) {
	s := harness.Serve(t)
	a, b := openJobs(t, s), openJobs(t, s)
	good := map[string]any{"firmware": "<b>1</b>", "status": "SUCCEEDED", "target": "<i>2</i>", "progress": 100, "reason": ""}
	publish := func(payload string) {
		b.Eval(fmt.Sprintf(`await iot.publish("public/jobs/demo-device-1/state", %q, { qos: 1 })`, payload), nil)
	}
	for _, payload := range []string{"", "{", "null", "1", "[]", `"text"`, "{}"} {
		publish(payload)
	}
	for name, value := range map[string]any{"firmware": map[string]any{"toString": 1}, "status": "toString", "target": 1, "progress": 1e9, "reason": strings.Repeat("x", 101)} {
		bad := map[string]any{}
		for k, v := range good {
			bad[k] = v
		}
		bad[name] = value
		publish(marshal(bad))
	}
	b.Eval(`await iot.publish("public/jobs/demo-device-1/fault", "{", { qos: 1 })`, nil)
	b.Eval(`await iot.publish("public/jobs/demo-device-2/fault", "true", { qos: 1 })`, nil)
	a.Until(device(2, "input") + `.checked`)
	a.Is(device(1, ".firmware")+`.textContent`, `"Firmware 1.0.0"`)
	a.Is(device(1, ".status")+`.textContent`, `"No update yet"`)
	a.Is(device(1, "input")+`.checked`, "false")
	publish(marshal(good))
	installs(a, 1, "Installed <i>2</i>", 100)
	a.Is(device(1, ".firmware")+`.textContent`, `"Firmware <b>1</b>"`)
}

// The page shows the command of the AWS CLI for its job. If the server of the page has no backend, as with AWS, the
// page says so.
func TestJobsCommand(t *testing.T) {
	files := harness.Files{}
	web := harness.Web(t, filepath.Join(harness.Root, "www"), files)
	s := harness.Serve(t, "-addr", "127.0.0.1:0", "-allow-origin", web, "-region", "eu-west-1")
	at := s.Settings()
	files["/local.json"] = harness.File{Body: marshal(map[string]any{"endpoint": at.Endpoint, "region": at.Region,
		"cognito": map[string]string{"endpoint": at.Cognito.Endpoint, "identityPoolId": at.Cognito.IdentityPoolID}})}
	p := open(t, web+"/demos/jobs.html")
	p.Allow("/local/jobs") // the browser reports the failed request
	p.Is(`document.querySelector("details").open`, "false")
	update(p, "5.0.0", 1, 4)
	p.Until(`document.querySelector("details").open && document.querySelector("#problem").textContent.includes("AWS CLI")`)
	p.Accessible()

	update(p, "5.0.1", 1, 4)
	const shown = `document.querySelector("#command").textContent`
	command := harness.Await[string](p.Tab, shown+`.includes('{"version":"5.0.2"}') && `+shown)
	if !strings.HasPrefix(command, "aws iot create-job ") || !strings.Contains(command, "arn:aws:iot:eu-west-1:123456789012:thing/demo-device-4") {
		t.Fatalf("the command is %q", command)
	}
	// The AWS CLI creates the job.
	for _, thing := range []string{"demo-device-1", "demo-device-4"} {
		if err := at.CreateThing(thing); err != nil {
			t.Fatal(err)
		}
	}
	cli := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "aws ", "aws --endpoint-url "+s.URL+" ", 1))
	cli.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+at.Credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+at.Credentials.SecretAccessKey,
		"AWS_DEFAULT_REGION=eu-west-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	if out, err := cli.CombinedOutput(); err != nil {
		t.Fatalf("%v; is the AWS CLI installed (make tools)? %s\n%s", err, command, out)
	}
	installs(p, 4, "Installed 5.0.2", 100)
}
