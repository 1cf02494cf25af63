package demos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// demoPolicy returns the name of a file with the permissions of docs/aws for guests who use the demos.
func demoPolicy(t *testing.T) string {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(harness.Root, "docs/aws/demo-role-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	connect := `"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:eu-west-1:123456789012:client/iot-*"},`
	name := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(name, []byte(strings.Replace(string(document), `"Statement": [`, connect, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A dispatcher is a person with dispatcher.html.
type dispatcher struct{ *person }

func openDispatcher(t *testing.T, s *harness.Server) dispatcher {
	t.Helper()
	return dispatcher{open(t, s.URL+"demos/dispatcher.html")}
}

// lists waits until the list has n trucks, and each of them has a speed.
func (d dispatcher) lists(n int) {
	d.T.Helper()
	d.Until(fmt.Sprintf(`document.querySelectorAll("#list label").length === %d && [...document.querySelectorAll("#list label")].every((row) => /^truck-\d\d\d+ km\/h$/.test(row.textContent))`, n))
}

// shows waits until the text of an element contains the given text.
func (p *person) shows(selector, text string) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`document.querySelector(%q).textContent.includes(%q)`, selector, text))
}

// choose selects a truck in the list with the mouse.
func (d dispatcher) choose(id string) {
	d.T.Helper()
	d.Eval(fmt.Sprintf(`[...document.querySelectorAll("#list label")].find((row) => row.textContent.startsWith(%q)).id = "chosen"`, id), nil)
	d.Click("#chosen")
	d.Eval(`document.querySelector("#chosen").id = ""`, nil)
	d.shows("#name", id)
}

// order sends an order to the chosen truck.
func (d dispatcher) order(limit, task string) {
	d.T.Helper()
	d.Fill("#orders [name=limit]", limit)
	d.Eval(fmt.Sprintf(`document.querySelector("#orders [name=task]").value = %q`, task), nil)
	d.Click("#orders button")
}

func TestTrucks(t *testing.T) {
	s := harness.Serve(t, "-faults", "-region", "eu-west-1", "-policy", demoPolicy(t))
	fleet := open(t, s.URL+"demos/trucks.html?pace=200")
	fleet.Fill("#count", "6\t")
	fleet.shows("#text", "6 trucks drive, and send 12 reports a second.")
	a := openDispatcher(t, s)
	a.Until(`document.querySelectorAll("#list label").length >= 6`)
	a.Is(`document.querySelector("#hint").hidden`, "true")

	// A truck is selected in the list by keyboard and by mouse, and on the map.
	a.Eval(`document.querySelector("#list input").focus()`, nil)
	a.Do(chromedp.KeyEvent(" "))
	a.shows("#name", "truck-01 of the blue fleet")
	a.Do(chromedp.KeyEvent("\ue015")) // arrow down
	a.shows("#name", "truck-02 of the amber fleet")
	a.choose("truck-03")
	fleet.Click("#run") // the trucks stand still for the click on the map
	fleet.shows("#run", "Start")
	_ = input.MouseButton("")
}
