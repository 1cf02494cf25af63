package harness

import (
	"encoding/json"
	"testing"
	"time"
)

// A Window is a window of a browser that a Driver controls. A method fails the test if its operation fails.
type Window struct {
	T *testing.T // the test that a method fails

	driver *Driver
	handle string
}

// Window returns the window with a number. It opens the window if it does not exist yet.
func (d *Driver) Window(t *testing.T, n int) *Window {
	t.Helper()
	for len(d.windows) <= n {
		name, parameters := "GetWindowHandle", map[string]any{}
		if len(d.windows) > 0 {
			name, parameters = "NewWindow", map[string]any{"type": "window"}
		}
		value, err := d.send(name, parameters)
		if err != nil {
			t.Fatal(err)
		}
		var created struct{ Handle string }
		if json.Unmarshal(value, &created) != nil {
			_ = json.Unmarshal(value, &created.Handle)
		}
		d.windows = append(d.windows, created.Handle)
	}
	return &Window{T: t, driver: d, handle: d.windows[n]}
}

// do sends a command that applies to the window.
func (w *Window) do(name string, parameters map[string]any) json.RawMessage {
	w.T.Helper()
	if w.driver.current != w.handle {
		if _, err := w.driver.send("SwitchToWindow", map[string]any{"handle": w.handle}); err != nil {
			w.T.Fatal(err)
		}
		w.driver.current = w.handle
	}
	value, err := w.driver.send(name, parameters)
	if err != nil {
		w.T.Fatal(err)
	}
	return value
}

// Navigate opens a URL, and waits for the event load of its page.
func (w *Window) Navigate(url string) {
	w.T.Helper()
	w.do("Navigate", map[string]any{"url": url})
}

// find returns the id of the first element that a CSS selector matches. It waits until there is one.
func (w *Window) find(selector string) string {
	w.T.Helper()
	w.Until("document.querySelector(" + quote(selector) + ")")
	var element map[string]string
	if err := json.Unmarshal(w.do("FindElement", map[string]any{"using": "css selector", "value": selector}), &element); err != nil {
		w.T.Fatal(err)
	}
	return element["element-6066-11e4-a52e-4f735466cecf"] // the name that WebDriver defines
}

// quote returns a text as a string of JavaScript.
func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// Click clicks with the mouse on the first element that a CSS selector matches.
func (w *Window) Click(selector string) {
	w.T.Helper()
	w.do("ElementClick", map[string]any{"id": w.find(selector)})
}

// Fill replaces the text of a form field by keyboard.
func (w *Window) Fill(selector, text string) {
	w.T.Helper()
	quoted := quote(selector)
	w.Until("document.querySelector(" + quoted + ")")
	w.Eval("document.querySelector("+quoted+").value = ''", nil)
	w.Type(selector, text)
}

// Type sends keys to an element. Engines differ in where they insert a text if the field already has one.
func (w *Window) Type(selector, text string) {
	w.T.Helper()
	w.do("ElementSendKeys", map[string]any{"id": w.find(selector), "text": text})
}

// Drag presses the button of the mouse in an element, moves the mouse, and releases the button. A position is x and
// y in CSS pixels from the centre of the element.
func (w *Window) Drag(selector string, positions ...[2]int) {
	w.T.Helper()
	origin := map[string]string{"element-6066-11e4-a52e-4f735466cecf": w.find(selector)}
	var actions []map[string]any
	for i, at := range positions {
		actions = append(actions, map[string]any{"type": "pointerMove", "duration": 20, "origin": origin, "x": at[0], "y": at[1]})
		if i == 0 {
			actions = append(actions, map[string]any{"type": "pointerDown", "button": 0})
		}
	}
	actions = append(actions, map[string]any{"type": "pointerUp", "button": 0})
	mouse := map[string]any{"type": "pointer", "id": "mouse", "parameters": map[string]any{"pointerType": "mouse"}, "actions": actions}
	w.do("PerformActions", map[string]any{"actions": []any{mouse}})
}

// Eval runs statements in the page, as the body of a function. Firefox runs them in a sandbox: a variable that they
// leave to others must be a member of window, and the elements of typed arrays are not accessible. It decodes the returned value into out, unless out is nil.
func (w *Window) Eval(statements string, out any) {
	w.T.Helper()
	value := w.do("ExecuteScript", map[string]any{"script": statements, "args": []any{}})
	if out == nil {
		return
	}
	if err := json.Unmarshal(value, out); err != nil {
		w.T.Fatalf("%v: %s\nin %s", err, value, statements)
	}
}

// Until waits until an expression is truthy. It fails the test after the patience of the driver.
func (w *Window) Until(expression string) {
	w.T.Helper()
	for late := time.Now().Add(w.driver.patience); ; time.Sleep(pollInterval) {
		var is bool
		if w.Eval("return !!("+expression+")", &is); is {
			return
		}
		if time.Now().After(late) {
			var page string
			w.Eval(`return document.body.innerText`, &page)
			w.T.Fatalf("still not true: %s\nin a page with the text\n%s", expression, page)
		}
	}
}
