package console

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// export exports the messages of the list by the dialog, and returns the content of the file.
func export(p *harness.Person, format string) []byte {
	p.T.Helper()
	dir := p.T.TempDir()
	if _, err := chromedp.Call(p.Ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: "allow", DownloadPath: dir, BrowserContextID: chromedp.FromContext(p.Ctx).BrowserContextID,
	}); err != nil {
		p.T.Fatal(err)
	}
	p.Click("#export-messages")
	p.Until(`!!document.querySelector("dialog[open]")`)
	p.Eval(fmt.Sprintf(`document.querySelector("dialog select").value = %q`, format), nil)
	p.Click("dialog .primary")
	p.Until(`document.querySelector("#transfer-text").textContent.startsWith("Exported ")`)
	name := filepath.Join(dir, strings.TrimSuffix(p.Text(`/to (.*)$/.exec(document.querySelector("#transfer-text").textContent)[1]`), "."))
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(name); err == nil && len(text) > 0 {
			return text
		}
		if time.Now().After(deadline) {
			p.T.Fatalf("%s was not downloaded", name)
		}
	}
}

// load imports a file with the file chooser.
func load(p *harness.Person, name, text string) {
	p.T.Helper()
	path := filepath.Join(p.T.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.T.Fatal(err)
	}
	p.Do(chromedp.SetUploadFiles("#import-messages-file", []string{path}, chromedp.NodeReady))
}

// recorded publishes messages with all properties, also one that is not UTF-8.
func recorded(p *harness.Person) {
	p.T.Helper()
	p.Resize(1500, 900)
	publishAll(p,
		[2]string{"r/1", `'say "hi",\nthen go', { qos: 1, contentType: "text/plain", utf8: true, responseTopic: "answers", correlationData: new Uint8Array([0, 255]), messageExpiry: 1000, userProperties: [["a", "1"], ["a", "2"]] }`},
		[2]string{"r/2", `new Uint8Array([255, 0, 1])`},
		[2]string{"r/3", `"=1+1", { retain: true }`},
		[2]string{"r/4", `"-5.5"`})
}

// TestExport writes JSON lines and CSV, and checks their content.
func TestExport(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	recorded(p)
	var lines []map[string]any
	for line := range bytes.Lines(export(p, "jsonl")) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if at, err := time.Parse(time.RFC3339, m["time"].(string)); err != nil || time.Since(at) > time.Hour {
			t.Errorf("time %v: %v", m["time"], err)
		}
		delete(m, "time")
		delete(m, "messageExpiry")
		lines = append(lines, m)
	}
	got, _ := json.Marshal(lines)
	want := `[{"contentType":"text/plain","correlationDataBase64":"AP8=","filters":["#"],"payload":"say \"hi\",\nthen go","qos":1,"responseTopic":"answers","retain":false,"topic":"r/1","userProperties":[["a","1"],["a","2"]],"utf8":true},` +
		`{"filters":["#"],"payloadBase64":"/wAB","qos":0,"retain":false,"topic":"r/2"},` +
		`{"filters":["#"],"payload":"=1+1","qos":0,"retain":false,"topic":"r/3"},{"filters":["#"],"payload":"-5.5","qos":0,"retain":false,"topic":"r/4"}]`
	if string(got) != want {
		t.Errorf("JSON lines:\n%s\nwant\n%s", got, want)
	}

	// The file contains the messages that the list shows.
	find(p, "-r/4")
	p.Until(`document.querySelector("#found").textContent === "3 found"`)
	rows, err := csv.NewReader(bytes.NewReader(export(p, "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, append(row[1:4:4], row[10], row[12], row[13]))
	}
	got, _ = json.Marshal(cells)
	want = `[["topic","payload","encoding","correlationData","userProperties","filters"],["r/1","say \"hi\",\nthen go","utf-8","AP8=","[[\"a\",\"1\"],[\"a\",\"2\"]]","#"],["r/2","/wAB","base64","","","#"],["r/3","'=1+1","utf-8","","","#"]]`
	if string(got) != want {
		t.Errorf("CSV:\n%s\nwant\n%s", got, want)
	}
	p.Accessible()
}

// TestImport imports what was exported, by the file chooser and by drag and drop, and explains a file that is not valid.
func TestImport(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	recorded(p)
	first := export(p, "jsonl")
	p.Click("#clear")
	p.Until(`document.querySelector("#count").textContent === "0"`)
	load(p, "messages.jsonl", string(first))
	p.Until(`document.querySelector("#transfer-text").textContent === "Imported 4 messages from messages.jsonl."`)
	p.Until(shows(`["r/4", "r/3", "r/2", "r/1"]`))
	p.Is(`document.querySelector("#messages .meta").textContent.includes("imported")`, `true`)
	// The subscriptions of the file are not those of the page.
	if again := export(p, "jsonl"); string(again) != strings.ReplaceAll(string(first), `"filters":["#"]`, `"filters":[]`) {
		t.Errorf("exported again:\n%s\nwant\n%s", again, first)
	}
	p.Eval(`const data = new DataTransfer();
		data.items.add(new File(['{"time": 1000, "topic": "dropped", "payload": "x"}'], "dropped.jsonl"));
		for (const type of ["dragover", "drop"]) document.querySelector("#scroller").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))`, nil)
	p.Until(shows(`["dropped", "r/4", "r/3", "r/2", "r/1"]`))
	p.Accessible()
	valid := `{"time": 1, "topic": "a"}` + "\n"
	for text, want := range map[string]string{
		"hello":                                                "bad.jsonl, line 1: this is not JSON",
		valid + "\n[1]":                                        "bad.jsonl, line 3: this is not an object",
		valid + `{"topic": "a"}`:                               "line 2: time is missing",
		`{"time": 1, "topic": "a/#"}`:                          "line 1: topic is missing or is not a topic",
		`{"time": "soon", "topic": ""}`:                        "topic is missing",
		`{"time": 1, "topic": "a", "payload": {}}`:             "payload is not a text",
		`{"time": 1, "topic": "a", "payloadBase64": "%"}`:      "payloadBase64 is not Base64",
		`{"time": 1, "topic": "a", "qos": 3}`:                  "qos is not 0, 1 or 2",
		`{"time": 1, "topic": "a", "userProperties": [["a"]]}`: "userProperties",
		"\xff": "the file is not UTF-8",
	} {
		load(p, "bad.jsonl", text)
		p.Until(fmt.Sprintf(`document.querySelector("#problem").textContent.includes(%q)`, want))
	}
}

// TestReplay publishes recorded messages again: to the same topics and to others, at several speeds, and stops.
func TestReplay(t *testing.T) {
	p := open(t, harness.Serve(t), "")
	recorded(p)
	replay := func(speed, prefix string) {
		t.Helper()
		p.Click("#replay-messages")
		p.Until(`!!document.querySelector("dialog[open]")`)
		p.Eval(fmt.Sprintf(`document.querySelector("dialog select").value = %q`, speed), nil)
		if prefix != "" {
			p.Fill("dialog [name=prefix]", prefix)
		}
		p.Click("dialog .primary")
	}
	replay("Infinity", "again/")
	p.Until(`document.querySelector("#transfer-text").textContent === "Published 4 messages."`)
	p.Until(shows(`["again/r/4", "again/r/3", "again/r/2", "again/r/1", "r/4", "r/3", "r/2", "r/1"]`))
	find(p, "topic:again/#")
	p.Until(`document.querySelector("#found").textContent === "4 found"`)
	var m map[string]any
	line, _, _ := bytes.Cut(export(p, "jsonl"), []byte("\n"))
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatal(err)
	}
	if m["topic"] != "again/r/1" || m["payload"] != "say \"hi\",\nthen go" || m["correlationDataBase64"] != "AP8=" || m["qos"] != 1.0 || m["utf8"] != true {
		t.Errorf("the replayed message is %s", line)
	}
	// At the original speed, the last message waits for an hour.
	find(p, "topic:long/#")
	load(p, "long.jsonl", `{"time": "2026-01-01T00:00:00Z", "topic": "long/1", "qos": 1}`+"\n"+`{"time": "2026-01-01T00:00:00.300Z", "topic": "long/2"}`+"\n"+`{"time": "2026-01-01T01:00:00Z", "topic": "long/3"}`)
	p.Until(`document.querySelector("#found").textContent === "3 found"`)
	replay("1", "")
	p.Until(`document.querySelector("#transfer-text").textContent === "Replaying: 2 of 3 messages."`)
	p.Is(`document.querySelector("#transfer-stop").textContent`, `"Stop"`)
	p.Accessible()
	p.Click("#transfer-stop")
	p.Until(`document.querySelector("#transfer-text").textContent === "Stopped the replay. Published 2 messages of 3."`)
	p.Until(`document.querySelector("#found").textContent === "5 found"`)
	p.Click("#transfer-stop")
	p.Is(`document.querySelector("#transfer").hidden`, `true`)
	// A broker refuses messages to $SYS. The page states the reason.
	find(p, "topic:long/1")
	replay("Infinity", "$SYS/")
	p.Until(`/ refused: ERR_/.test(document.querySelector("#transfer-text").textContent)`)
}
