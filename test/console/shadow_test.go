package console

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// anotherClient returns a tab with a second client, the global iot, as another program would use the server.
func anotherClient(t *testing.T, s *harness.Server) *harness.Tab {
	t.Helper()
	b := harness.Open(t, harness.Browser, s.URL+"local.json", patience)
	b.Eval(`globalThis.iot = (await import("/iot.js")).default;
		const { endpoint, region, credentials } = await (await fetch("/local.json")).json();
		await iot.connect({ endpoint, region, credentials })`, nil)
	return b
}

// typeKeys types keys.
func typeKeys(p *harness.Person, keys string, modifiers ...chromedp.Modifier) {
	p.T.Helper()
	var options []chromedp.KeyOption
	if len(modifiers) > 0 {
		options = append(options, chromedp.KeyModifiers(modifiers...))
	}
	p.Do(chromedp.KeyEvent(keys, options...))
}

// openShadow opens the view of shadows by its link, and a shadow that does not exist.
func openShadow(p *harness.Person, thing, name string) {
	p.T.Helper()
	p.Click("#views [data-view=shadow]")
	p.Until(`document.querySelector("#shadow-form")?.checkVisibility()`)
	p.Fill("#shadow-form [name=thing]", thing)
	p.Fill("#shadow-form [name=shadow]", name+"\r")
	p.Until(`document.querySelector("#shadow-create").checkVisibility()`)
}

// shadowTree is a JavaScript function that returns the keys and values of a section that the page shows.
const shadowTree = `globalThis.tree = (section) => [...document.querySelectorAll("#shadow-" + section + " .entry")].map((e) => e.querySelector(".key").textContent + "=" + e.querySelector(".value, .fold").textContent).join(" ")`

func TestShadow(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p, other := open(t, s, ""), anotherClient(t, s)
	p.Eval(shadowTree, nil)
	other.Eval(`globalThis.lamp = (await import("/shadow.js")).shadow(iot, "lamp")`, nil)

	// Create it. Text that is not JSON is refused with a reason.
	openShadow(p, "lamp", "")
	p.Until(`location.hash === "#/shadow/lamp"`)
	p.Accessible()
	p.Fill("#shadow-create .json-field:last-child textarea", `{"on": `)
	p.Is(`document.querySelector("#shadow-create .json-field:last-child textarea").ariaInvalid`, `"true"`)
	p.Fill("#shadow-create .json-field:last-child textarea", `{"on": true, "colour": {"r": 1}, "list": [1, 2]}`)
	p.Click("#shadow-create .primary")
	p.Until(`tree("desired") === "colour={1} r=1 list=[2] 0=1 1=2 on=true" && tree("reported") === "on=false"`)
	p.Is(`tree("delta")`, `"colour={1} r=1 list=[2] 0=1 1=2 on=true"`)
	p.Until(`document.querySelector("#shadow-size").textContent === "53 B of at most 8.0 KiB"`)
	p.Until(`/^Version 1, changed /.test(document.querySelector("#shadow-status").textContent)`)
	p.Accessible()

	// Edit in place: change a value in an array by keyboard, add a key, and remove one.
	p.Click(`[aria-label^="Change desired.list[1],"]`)
	typeKeys(p, "3\r")
	p.Until(`tree("desired").includes("1=3")`)
	p.Click(`[aria-label="Add to desired.colour"]`)
	typeKeys(p, "g\t200\r")
	p.Until(`tree("desired").startsWith("colour={2} g=200 r=1") || tree("desired").startsWith("colour={2} r=1 g=200")`)
	p.Click(`[aria-label="Remove desired.colour"]`)
	p.Until(`tree("desired") === "list=[2] 0=1 1=3 on=true"`)
	other.Is(`(await lamp.get()).state.desired`, `{"list": [1, 3], "on": true}`)

	// The other client reports. The row that changes is marked, and the code of the last action stays.
	other.Eval(`await lamp.update({ reported: { on: true, list: [1, 3] } })`, nil)
	p.Until(`tree("reported").includes("on=true") && tree("delta") === "" && document.querySelector("#shadow-report").disabled`)
	p.Is(`document.querySelector('[aria-label^="Change reported.on,"]').parentElement.classList.contains("marked")`, `true`)
	p.Is(`document.querySelector("#shadow-history li summary").textContent.includes("by this page")`, `false`)
	p.Is(`document.querySelectorAll("#shadow-history > li").length`, `5`)

	// A version conflict: the other client changes the shadow while the person types.
	p.Click(`[aria-label^="Change desired.on,"]`)
	p.Until(`document.activeElement.matches("form.edit input")`)
	typeKeys(p, "fal")
	other.Eval(`await lamp.update({ desired: { on: "blinking" } })`, nil)
	p.Until(`document.querySelector("form.edit [role=status]")?.textContent.includes("blinking")`)
	typeKeys(p, "se\r")
	p.Until(`document.querySelector("#shadow-conflict").textContent.includes("You began with version 5. The shadow has version 6 now")`)
	p.Is(`document.querySelector("#shadow-conflict .changes").textContent`, `"desired.on: true → \"blinking\""`)
	p.Accessible()
	other.Is(`(await lamp.get()).state.desired.on`, `"blinking"`)
	p.Click("#shadow-conflict .primary")
	p.Until(`document.querySelector("#shadow-conflict").hidden`)
	other.Is(`(await lamp.get()).state.desired.on`, `false`)
	p.Until(`!document.querySelector("form.edit") && tree("desired").includes("on=false")`)

	// The JSON of a section, with a key that is removed.
	p.Click("#shadow-desired [aria-pressed]")
	p.Fill("#shadow-desired textarea", `[1]`)
	typeKeys(p, "\r", chromedp.ModifierCtrl)
	p.Is(`document.querySelector("#shadow-desired .json-field p").textContent`, `"A section must be a JSON object, like {\"on\": true}."`)
	p.Accessible()
	p.Fill("#shadow-desired textarea", `{"on": true, "name": "x"}`)
	typeKeys(p, "\r", chromedp.ModifierCtrl)
	p.Until(`tree("desired") === "name=\"x\" on=true" || tree("desired") === "on=true name=\"x\""`)
	other.Is(`(await lamp.get()).state.desired`, `{"on": true, "name": "x"}`)

	// The page reports the delta, as the device would.
	p.Click("#shadow-report")
	p.Until(`tree("reported").includes('name="x"') && tree("delta") === ""`)

	// More than 8 KiB are refused.
	p.Click("#shadow-desired [aria-pressed]")
	p.Eval(`document.querySelector("#shadow-desired textarea").value = JSON.stringify({ text: "x".repeat(8192) })`, nil)
	p.Click("#shadow-desired textarea")
	typeKeys(p, " ")
	p.Is(`document.querySelector("#shadow-desired .json-field p").textContent`, `"8,204 bytes are more than the limit of 8,192."`)
	typeKeys(p, "\x1b")
	p.Until(`!document.querySelector("#shadow-desired form").checkVisibility()`)

	// The code is that of the last action.
	if code := p.Text(`document.querySelector("#view-shadow .code-block code").textContent`); !strings.Contains(code, `"reported": {`) || !strings.Contains(code, `{ version: 8 }`) {
		t.Errorf("the code is %s", code)
	}
}

func TestShadowCutAndDelete(t *testing.T) {
	s := harness.Serve(t, "-faults")
	p, other := open(t, s, ""), anotherClient(t, s)
	p.Eval(shadowTree, nil)
	other.Eval(`globalThis.config = (await import("/shadow.js")).shadow(iot, "robot", "config"); await config.update({ desired: { speed: 1 } })`, nil)
	openShadow(p, "robot", "")
	p.Fill("#shadow-form [name=shadow]", "config\r")
	p.Until(`tree("desired") === "speed=1" && location.hash === "#/shadow/robot/config"`)

	// The connection is cut, and the shadow changes meanwhile.
	s.Control(`{"cut":"*"}`)
	other.Eval(`await config.update({ desired: { speed: 2 } })`, nil)
	p.Until(`tree("desired") === "speed=2"`)
	// The client of the page closes, and connects again.
	p.Click("#link")
	p.Until(`iot.state === "closed"`)
	other.Eval(`await config.update({ desired: { speed: 3 } })`, nil)
	p.Click("#link")
	p.Until(`tree("desired") === "speed=3"`)
	other.Eval(`await config.update({ desired: { speed: 4 } })`, nil)
	p.Until(`tree("desired") === "speed=4" && document.querySelectorAll("#shadow-history > li").length === 4`)
	p.Until(`document.querySelector("#shadow-desired time").textContent !== ""`)

	// A version of the history, and its desired state again.
	p.Click("#shadow-history li:last-child summary")
	p.Click("#shadow-history li:last-child button")
	p.Until(`tree("desired") === "speed=1"`)
	other.Is(`(await config.get()).state.desired`, `{"speed": 1}`)
	p.Accessible()

	// A field that is open belongs to the shadow that the page shows.
	p.Click(`[aria-label^="Change desired.speed,"]`)
	p.Until(`document.querySelector("#shadow-desired .edit") !== null`)
	other.Eval(`await (await import("/shadow.js")).shadow(iot, "robot").update({ desired: { speed: 9 } })`, nil)
	p.Fill("#shadow-form [name=shadow]", " ")
	p.Eval(`document.querySelector("#shadow-form [name=shadow]").value = ""`, nil)
	p.Click("#shadow-form .primary")
	p.Until(`tree("desired") === "speed=9" && document.querySelector("#shadow-desired .edit") === null`)
	p.Click("#view-shadow .recents li:nth-child(2) button")
	p.Until(`tree("desired") === "speed=1" && location.hash === "#/shadow/robot/config"`)

	// Delete it. Cancel comes first.
	p.Click("#shadow-delete")
	p.Until(`document.querySelector("dialog[open]") && document.activeElement.textContent === "Cancel"`)
	p.Accessible()
	typeKeys(p, "\x1b")
	p.Until(`!document.querySelector("dialog")`)
	p.Is(`document.querySelector("#shadow-delete").disabled`, `false`)
	p.Click("#shadow-delete")
	p.Click("dialog .danger")
	p.Until(`document.querySelector("#shadow-create").checkVisibility() && document.querySelector("#shadow-status").textContent.includes("it was deleted")`)
	other.Fails(`config.get()`, "IotError", "ERR_SHADOW_NOT_FOUND")
	p.Click("#shadow-create .primary")
	p.Until(`tree("desired") === "on=true"`)

	// The history is bounded.
	other.Eval(`for (let i = 0; i < 110; i++) await config.update({ reported: { i } })`, nil)
	p.Until(`tree("reported") === "i=109 on=false"`)
	p.Is(`document.querySelectorAll("#shadow-history > li").length`, `100`)
	p.Is(`/^The last 100 of at most 100 versions .* \d+ older ones were removed\.$/.test(document.querySelector("#shadow-history").previousElementSibling.textContent)`, `true`)

	// The page remembers the shadows, and opens the last one after a reload.
	p.Is(`[...document.querySelectorAll("#view-shadow .recents button")].map((b) => b.textContent)`, `["robot / config", "robot", "Forget these"]`)
	p.Do(chromedp.Reload())
	p.Eval(shadowTree, nil)
	p.Until(`document.querySelector("#shadow-desired") && tree("desired") === "on=true"`)
}

// TestShadowForbidden opens a shadow and jobs for which the policy has no permission. The views name the missing ones.
func TestShadowForbidden(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy.json")
	const document = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
		{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:*:*:topicfilter/#"}]}`
	if err := os.WriteFile(policy, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, harness.Serve(t, "-policy", policy), "")
	for _, view := range []string{"shadow", "jobs"} {
		p.Click("#views [data-view=" + view + "]")
		form := "#" + view + "-form"
		p.Until(`document.querySelector("` + form + `")?.checkVisibility()`)
		p.Fill(form+" [name=thing]", "secret\r")
		p.Until(`document.querySelector("#` + view + `-problem").checkVisibility() && document.querySelector("#` + view + `-problem").textContent.includes("must allow iot:Subscribe, iot:Receive and iot:Publish for $aws/things/secret/` + view + `/")`)
		t.Log(p.Text(`document.querySelector("#` + view + `-problem").textContent`))
		p.Accessible()
	}
}
