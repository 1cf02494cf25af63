package console

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// openJobs opens the view of jobs by its link, and those of a thing.
func openJobs(p *harness.Person, thing string) {
	p.T.Helper()
	p.Click("#views [data-view=jobs]")
	p.Until(`document.querySelector("#jobs-form")?.checkVisibility()`)
	p.Fill("#jobs-form [name=thing]", thing+"\r")
	p.Until(`location.hash === "#/jobs/` + thing + `" && document.querySelector("#jobs-status").textContent === "0 in progress, 0 queued"`)
}

// createJobs is a JavaScript function that creates a job as another program does.
const createJobs = `globalThis.createJob = async (jobId, document) => {
	const response = await fetch("/local/jobs", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jobId, targets: ["press"], document }) });
	if (!response.ok) throw new Error(await response.text());
}`

// TestSimulatedJob sees a job from its creation to its success, and one that fails.
func TestSimulatedJob(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p := open(t, s, "")
	openJobs(p, "press")
	p.Accessible()

	// A document that is not JSON is refused.
	p.Fill("#job-create [name=document]", `{"steps": [`)
	p.Click("#job-create .primary")
	p.Is(`document.activeElement.name + " " + document.activeElement.ariaInvalid`, `"document true"`)
	p.Fill("#job-create [name=document]", `{"steps": [{"name": "Oil", "seconds": 1}, {"name": "Press", "seconds": 1}]}`)
	p.Fill("#job-create [name=jobId]", "oil-1")
	p.Click("#job-create .primary")
	p.Until(`document.querySelector("[data-job=oil-1] .badge")?.textContent === "queued"`)
	p.Until(`document.querySelector("#job-created").textContent === "Created oil-1."`)
	p.Accessible()

	// The connection is cut while the simulated device does the job. The job continues.
	p.Click("#jobs-simulate")
	p.Until(`document.querySelector("[data-job=oil-1] .badge").textContent === "in progress" && /^\d+ %, (Oil|Press)$/.test(document.querySelector("[data-job=oil-1] output").textContent)`)
	s.Control(`{"cut":"*"}`)
	p.Until(`document.querySelector("#jobs-ended li")?.textContent.startsWith("oil-1 succeeded")`)
	p.Until(`document.querySelector("#jobs-device").textContent === "Finished oil-1. The device waits for a job."`)
	p.Is(`document.querySelectorAll("#jobs-ended li").length`, `1`)

	// The device is switched off in the middle of a job, and continues it later.
	p.Fill("#job-create [name=document]", `{"steps": [{"name": "Polish", "seconds": 3}]}`)
	typeKeys(p, "\r", chromedp.ModifierCtrl)
	p.Until(`document.querySelector("#jobs-pending progress")?.value >= 16`)
	p.Click("#jobs-simulate")
	p.Until(`document.querySelector("#jobs-device").textContent === ""`)
	p.Is(`document.querySelector("#jobs-pending .badge").textContent`, `"in progress"`)
	p.Click("#jobs-simulate")
	p.Until(`document.querySelectorAll("#jobs-ended li").length === 2`)
	p.Is(`document.querySelector("#jobs-ended li .badge").textContent`, `"succeeded"`)

	// The next job fails, and one without steps is rejected.
	p.Fill("#job-create [name=document]", `{"steps": [{"seconds": 0}, {"name": "Heat", "seconds": 0, "fail": "It is too cold."}]}`)
	typeKeys(p, "\r", chromedp.ModifierCtrl)
	p.Until(`document.querySelector("#jobs-ended li:first-child .badge").textContent === "failed"`)
	p.Is(`document.querySelector("#jobs-ended li:first-child").textContent.endsWith("It is too cold.")`, `true`)
	p.Fill("#job-create [name=document]", `{"steps": 1}`)
	typeKeys(p, "\r", chromedp.ModifierCtrl)
	p.Until(`document.querySelector("#jobs-ended li:first-child .badge").textContent === "rejected"`)
	p.Accessible()
}

// TestJobsOfAWS opens the view with a profile that is not that of the local stand-in: the page cannot create jobs, and
// shows the command.
func TestJobsOfAWS(t *testing.T) {
	s := harness.Serve(t)
	local := s.Settings()
	p := open(t, s, "")
	p.Click("#views [data-view=shadow]")
	p.Until(`document.querySelector("#shadow-form")?.checkVisibility()`)
	p.Fill("#shadow-form [name=thing]", "lamp\r")
	p.Until(`document.querySelector("#shadow-create").checkVisibility()`)
	p.Click("#views [data-view=connect]")
	p.Until(`document.querySelector("#new-kind") !== null`)
	addProfile(p, "keys", "Keys", "endpoint", local.Endpoint, "region", local.Region, "accessKeyId", local.Credentials.AccessKeyID, "secretAccessKey", local.Credentials.SecretAccessKey)
	connects(p, "Keys")
	p.Click("#views [data-view=jobs]")
	p.Until(`document.querySelector("#jobs-form")?.checkVisibility()`)
	p.Fill("#jobs-form [name=thing]", "press\r")
	p.Until(`document.querySelector("#jobs-status").textContent === "0 in progress, 0 queued"`)
	p.Is(`document.querySelector("#job-create .primary").checkVisibility()`, `false`)
	p.Is(`document.querySelector("#job-create details").open`, `true`)
	p.Is(`document.querySelector("#job-create code:not(p code)").textContent.startsWith("aws iot create-job --job-id job-")`, `true`)
	p.Accessible()

	// The shadow that was open follows with the other credentials.
	p.Click("#views [data-view=shadow]")
	p.Until(`document.querySelector("#shadow-create").checkVisibility()`)
	p.Click("#shadow-create .primary")
	p.Until(`document.querySelector("#shadow-status").textContent.startsWith("Version 1")`)
}

// TestJobByHand changes an execution by hand while another program creates jobs and changes executions.
func TestJobByHand(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p, other := open(t, s, ""), anotherClient(t, s)
	other.Eval(createJobs, nil)
	other.Eval(`globalThis.press = (await import("/jobs.js")).jobs(iot, "press")`, nil)
	openJobs(p, "press")

	// Another program creates two jobs. They appear, and the first one is the next.
	other.Eval(`await createJob("a", { operation: "clean" }); await createJob("b", { operation: "paint" })`, nil)
	p.Until(`[...document.querySelectorAll("#jobs-pending > li")].map((li) => li.dataset.job + " " + li.querySelector(".badge").textContent).join() === "a queued,b queued"`)
	p.Until(`document.querySelector("[data-job=a] pre").textContent.includes("clean")`)
	p.Click("#jobs-start")
	p.Until(`document.querySelector("[data-job=a] .badge").textContent === "in progress" && document.querySelector("#jobs-status").textContent === "1 in progress, 1 queued"`)

	// The progress and a detail.
	p.Fill("[data-job=a] [name=progress]", "40")
	p.Click("[data-job=a] [role=group] > button")
	typeKeys(p, "operator\t")
	typeKeys(p, "left hand\r")
	p.Until(`document.querySelector("[data-job=a] output").textContent === "40 %"`)
	other.Is(`(await press.describe("a")).statusDetails`, `{"progress": "40", "operator": "left hand"}`)
	p.Accessible()

	// The other program reports a progress, which the page reads. A conflict while the person types.
	p.Fill("[data-job=a] [name=reason]", "no water")
	other.Eval(`await press.update("a", "IN_PROGRESS", { statusDetails: { progress: "50" } })`, nil)
	p.Click("[data-job=a] [data-status=FAILED]")
	p.Until(`document.querySelector("[data-job=a] .conflict").textContent.includes("Your change was not applied.")`)
	p.Accessible()
	other.Is(`(await press.describe("a")).status`, `"IN_PROGRESS"`)
	p.Click("[data-job=a] .conflict button")
	p.Until(`document.querySelector("#jobs-ended li")?.textContent.startsWith("a failed") && document.querySelector("#jobs-ended li").textContent.endsWith("no water")`)

	// The connection is cut, and the other program ends a job meanwhile.
	s.Control(`{"cut":"*"}`)
	other.Eval(`await press.update("b", "SUCCEEDED")`, nil)
	p.Until(`document.querySelector("#jobs-ended li:first-child").textContent.startsWith("b ended elsewhere")`)
	other.Eval(`await createJob("c", {})`, nil)
	p.Until(`document.querySelector("[data-job=c]") !== null`)
	p.Fill("[data-job=c] [name=reason]", "not mine")
	p.Click("[data-job=c] [data-status=REJECTED]")
	p.Until(`document.querySelector("#jobs-ended li:first-child").textContent.startsWith("c rejected")`)
	if code := p.Text(`document.querySelector("#view-jobs > .card:last-child .code-block code").textContent`); !strings.Contains(code, `await thing.update("c", "REJECTED", {`) {
		t.Errorf("the code is %s", code)
	}

	// The command for AWS is in the form.
	p.Fill("#job-create [name=document]", `{"text": "it's"}`)
	p.Click("#job-create summary")
	p.Fill("#job-create [name=account]", "210987654321")
	if command := p.Text(`document.querySelector("#job-create code:not(p code)").textContent`); !strings.Contains(command, "arn:aws:iot:us-east-1:210987654321:thing/press") || !strings.Contains(command, `--document '{"text":"it'\''s"}'`) {
		t.Errorf("the command is %s", command)
	}
}
