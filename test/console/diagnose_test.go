package console

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// findings is an expression: the status of each step of the view.
const findings = `[...document.querySelectorAll("#diagnose-steps li")].map((li) => li.dataset.status)`

// TestDiagnoseView runs a diagnosis by mouse. Then the stand-in has another fault for each of the next ones, and the keyboard
// starts them.
func TestDiagnoseView(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p := open(t, s, "#/diagnose")
	p.Until(`document.querySelectorAll("#diagnose-steps li").length === 11`)
	p.Is(findings+`.every((s) => s === "not run")`, `true`)
	p.Is(`document.querySelector("#diagnose-report").disabled`, `true`)
	p.Click("#diagnose-run")
	p.Until(`document.querySelector("#diagnose-progress").textContent === "All steps that apply succeeded."`)
	p.Is(findings, `["ok","ok","ok","ok","ok","ok","ok","ok","ok","ok","ok"]`)
	p.Is(`[document.querySelector("#diagnose-run").textContent, document.querySelector("#diagnose-report").disabled, iot.state]`, `["Run",false,"connected"]`)
	p.Accessible()

	for _, c := range []struct{ fault, step, code, advice string }{
		{`{"upgrade":{"status":503}}`, "WebSocket and signature", "ERR_UPGRADE", "proxy"},
		{`{"connack":{"reason":137}}`, "Connect", "ERR_REFUSED", "diagnosis again"},
	} {
		s.Control(c.fault)
		p.Do(chromedp.Focus("#diagnose-form [name=topic]"), chromedp.KeyEvent("\r"))
		p.Until(`document.querySelector("#diagnose-progress").textContent === "The step “` + c.step + `” failed."`)
		p.Is(`((li) => [li.querySelector("strong").textContent, li.textContent.includes("`+c.code+`"), li.querySelector(".advice").textContent.includes("`+c.advice+`")])(document.querySelector("#diagnose-steps [data-status=failed]"))`,
			`["`+c.step+`",true,true]`)
		p.Is(findings+`.at(-1)`, `"skipped"`)
	}
	// A clock that is wrong is a warning.
	s.Control(`{"clockSkew":3600}`)
	p.Click("#diagnose-run")
	p.Until(`document.querySelector("#diagnose-progress").textContent === "All steps that apply succeeded. 1 of the steps has a warning."`)
	p.Is(`document.querySelector("#diagnose-steps [data-status=warning]").textContent.includes("s behind the clock of the endpoint")`, `true`)
	s.Control(`{"clockSkew":0}`)
	p.Accessible()
}

// TestDiagnosePolicy uses a policy that lacks an action. It copies the statement by keyboard.
func TestDiagnosePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Subscribe","iot:Receive","iot:Publish"],"Resource":"*"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, harness.Serve(t, "-policy", file), "#/diagnose")
	p.Fill("#diagnose-form [name=topic]", "room/")
	p.Fill("#diagnose-form [name=account]", "210987654321\r")
	p.Until(`document.querySelector("#diagnose-progress").textContent === "The step “Retained messages” failed."`)
	p.Is(`JSON.parse(document.querySelector("#diagnose-steps pre").textContent)`, `{"Effect":"Allow","Action":"iot:RetainPublish","Resource":"arn:aws:iot:us-east-1:210987654321:topic/room/*"}`)
	p.Eval(`navigator.clipboard.writeText = async (text) => { globalThis.copied = text }`, nil)
	p.Do(chromedp.Focus("#diagnose-steps .statement button"), chromedp.KeyEvent("\r"))
	p.Until(`globalThis.copied === document.querySelector("#diagnose-steps pre").textContent`)
	p.Until(`document.querySelector("#diagnose-steps .statement button").textContent === "Copied"`)
	p.Click("#diagnose-report")
	p.Until(`globalThis.copied.includes("retain: failed ERR_PUBLISH_REFUSED. ")`)
	p.Accessible()
	// A profile that is not connected can be diagnosed, too.
	p.Eval(`const { app } = await import("/console/main.js"); globalThis.other = app.profiles.add("broker", { name: "Other", endpoint: "ws://127.0.0.1:1/mqtt" }); location.hash = "#/diagnose"`, nil)
	p.Eval(`document.querySelector("#diagnose-form [name=profile]").value = other.id`, nil)
	p.Do(chromedp.Focus("#diagnose-form [name=topic]"), chromedp.KeyEvent("\r"))
	p.Until(`document.querySelector("#diagnose-progress").textContent === "The step “Endpoint” failed."`)
	p.Is(`iot.state`, `"connected"`)
	// The fields are kept.
	p.Do(chromedp.Reload())
	p.Until(`document.querySelector("#diagnose-form [name=topic]")?.value === "room/"`)
}

// TestDiagnoseFromError opens the view from the line of an error, and stops a diagnosis.
func TestDiagnoseFromError(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p := open(t, s, "")
	s.Control(`{"upgrade":{"status":503,"count":100},"cut":"*"}`)
	p.Until(`document.querySelector("#problem").textContent.startsWith("ERR_UPGRADE: ")`)
	p.Eval(`document.querySelector("#problem button").focus()`, nil)
	p.Do(chromedp.KeyEvent("\r"))
	p.Until(`location.hash === "#/diagnose" && document.querySelector("#diagnose-progress")?.textContent === "The step “WebSocket and signature” failed."`)
	s.Control(`{"upgrade":{"status":503,"count":0}}`)
	// Nothing answers, until the user stops the diagnosis.
	p.Eval(`globalThis.realFetch = fetch; globalThis.fetch = (url, o) => String(url).endsWith("/mqtt") ? new Promise(() => {}) : realFetch(url, o)`, nil)
	p.Click("#diagnose-run")
	p.Until(`document.querySelector("#diagnose-progress").textContent === "Step 2 of 11: Endpoint" && document.querySelector("#diagnose-run").textContent === "Stop"`)
	p.Click("#diagnose-run")
	p.Until(`document.querySelector("#diagnose-progress").textContent === "Stopped."`)
	p.Is(findings, `["ok","not run","not run","not run","not run","not run","not run","not run","not run","not run","not run"]`)
	p.Eval(`globalThis.fetch = realFetch`, nil)
}
