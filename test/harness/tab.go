package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Tab is a page in a browser. A method without an error result fails the
// test if its operation fails.
type Tab struct {
	T        *testing.T      // the test that a method fails
	Ctx      context.Context // the context of chromedp for the page
	Patience time.Duration   // how long one operation may take
}

// Open opens a URL in a new tab of the browser. The tab has a profile of its own, and is
// closed at the end of the test. The test's log contains the page's console output and
// uncaught exceptions.
func Open(t *testing.T, browser context.Context, url string, patience time.Duration) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, func(event any) { logEvent(t, event) }); err != nil {
		t.Fatal(err)
	}
	// The first action on ctx opens the tab. The end of that action's context closes the
	// tab, so it must not be a context with a timeout.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &Tab{t, ctx, patience}
	b.Do(chromedp.Navigate(url))
	return b
}

func logEvent(t *testing.T, event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		t.Logf("page: %s", event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range event.Args {
			words = append(words, string(a.Value)+a.Description)
		}
		t.Logf("page: console.%s %s", event.Type, strings.Join(words, " "))
	}
}

// Close closes the tab before the end of the test.
func (b *Tab) Close() {
	b.T.Helper()
	if err := chromedp.Cancel(b.Ctx); err != nil {
		b.T.Fatal(err)
	}
}

// Crash kills the process of the page, so that no event of the page fires. It does not wait for the end of
// the process. The tab cannot be used afterwards.
func (b *Tab) Crash() {
	// The browser does not answer the command.
	go func() { _, _ = chromedp.Call(b.Ctx, page.Crash, cdp.Empty{}) }()
}

// With returns a Tab for the same page, whose methods fail the subtest t.
func (b *Tab) With(t *testing.T) *Tab { return &Tab{t, b.Ctx, b.Patience} }

// Do performs actions. It fails the test if they take longer than Patience.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, b.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.T.Fatal(err)
	}
}

// Click clicks with the mouse on the first element that the CSS selector matches.
func (b *Tab) Click(selector string) {
	b.T.Helper()
	var at struct{ X, Y float64 }
	b.Eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`, selector), &at)
	b.Do(chromedp.MouseClickXY(at.X, at.Y))
}

// Fill replaces the text of a form field by keyboard.
func (b *Tab) Fill(selector, text string) {
	b.T.Helper()
	b.Click(selector)
	b.Eval(fmt.Sprintf(`document.querySelector(%q).select()`, selector), nil)
	b.Do(chromedp.KeyEvent(text))
}

// Eval calls [Evaluate] in the tab. It fails the test if the expression throws, or takes
// longer than Patience.
func (b *Tab) Eval(expression string, out any) {
	b.T.Helper()
	if err := b.Try(expression, out); err != nil {
		b.T.Fatalf("%v\nin %s", err, expression)
	}
}

// Try is like Eval, but returns the error instead of failing the test.
func (b *Tab) Try(expression string, out any) error {
	ctx, cancel := context.WithTimeout(b.Ctx, b.Patience)
	defer cancel()
	return Evaluate(ctx, expression, out)
}

// Text returns the string that the expression evaluates to.
func (b *Tab) Text(expression string) (s string) {
	b.T.Helper()
	b.Eval(expression, &s)
	return s
}

// Is compares the value of an expression with a JSON text. It fails the test if they differ.
func (b *Tab) Is(expression, want string) {
	b.T.Helper()
	var got, wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		b.T.Fatalf("%v: %s", err, want)
	}
	b.Eval(expression, &got)
	if !reflect.DeepEqual(got, wanted) {
		text, _ := json.Marshal(got)
		b.T.Errorf("%s\n is %s\nwant %s", expression, text, want)
	}
}

// Until waits until the expression is true. It fails the test after Patience.
func (b *Tab) Until(expression string) {
	b.T.Helper()
	Await[bool](b, expression)
}

// Await waits until the value of the expression is truthy, and returns that value. It fails
// the test after the tab's Patience.
func Await[T any](b *Tab, expression string) T {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, b.Patience)
	defer cancel()
	value, err := Poll[T](ctx, expression)
	if err != nil {
		b.T.Fatalf("%v; still not true: %s", err, expression)
	}
	return value
}

// Fails checks that an expression throws an error, or is a promise that rejects with an
// error. The error must have the name class and the code; "undefined" stands for no code.
// Its message must contain all of the words. Its message and its stack must not contain a
// signed URL.
func (b *Tab) Fails(expression, class, code string, words ...string) {
	b.T.Helper()
	b.T.Logf("%s", expression)
	var e struct{ Name, Code, Message, Stack string }
	b.Eval(`await (async () => { try { await (`+expression+`) } catch (e) { return { name: e.name, code: String(e.code), message: e.message, stack: e.stack } } return { name: "nothing" } })()`, &e)
	if e.Name != class || e.Code != code {
		b.T.Errorf("%s\nfails with %s %s: %s\nwant %s %s", expression, e.Name, e.Code, e.Message, class, code)
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			b.T.Errorf("%s\nfails with %q,\nwhich does not contain %q", expression, e.Message, w)
		}
	}
	if strings.Contains(e.Message+e.Stack, "X-Amz-Signature=") {
		b.T.Errorf("the error contains a signed URL: %s\n%s", e.Message, e.Stack)
	}
}

// CollectGarbage runs the page's garbage collector.
func (b *Tab) CollectGarbage() {
	b.T.Helper()
	if _, err := chromedp.Call(b.Ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		b.T.Fatal(err)
	}
}

// Metric collects the page's garbage and returns one of Chromium's performance metrics,
// such as JSHeapUsedSize in bytes. It fails the test if Chromium has no such metric.
func (b *Tab) Metric(name string) float64 {
	b.T.Helper()
	if _, err := chromedp.Call(b.Ctx, performance.Enable, performance.EnableParams{}); err != nil {
		b.T.Fatal(err)
	}
	b.CollectGarbage()
	metrics, err := chromedp.Call(b.Ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.T.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	b.T.Fatalf("Chromium has no metric %s", name)
	return 0
}
