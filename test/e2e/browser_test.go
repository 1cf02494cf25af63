package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/chromium"
)

// shared is the Chromium that all tests share, each in a profile of its own.
var shared context.Context

func startBrowser() (stop func(), err error) {
	shared, stop, err = chromium.Launch(context.Background(), chromium.Local)
	return stop, err
}

// A tab is a page in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// patience is how long a tab may take for anything, and longer than any test
// should need.
const patience = 4 * time.Minute

// open opens a URL in a profile of the test's own.
func open(t *testing.T, url string) *tab {
	t.Helper()
	return openIn(t, shared, url)
}

func openIn(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			t.Logf("page: %s", ev.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			var words []string
			for _, a := range ev.Args {
				words = append(words, string(a.Value)+a.Description)
			}
			t.Logf("page: console.%s %s", ev.Type, strings.Join(words, " "))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(url))
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// click clicks with the mouse on what the CSS selector finds first.
func (b *tab) click(selector string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`, selector), &at)
	b.do(chromedp.MouseClickXY(at.X, at.Y))
}

// fill types text into the field in place of what is there.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.click(selector)
	b.eval(fmt.Sprintf(`document.querySelector(%q).select()`, selector), nil)
	b.do(chromedp.KeyEvent(text))
}

// eval runs an expression as the browser's console would, await included, and
// reads its value into out.
func (b *tab) eval(expression string, out any) {
	b.t.Helper()
	if err := b.try(expression, out); err != nil {
		b.t.Fatalf("%v\nin %s", err, expression)
	}
}

func (b *tab) try(expression string, out any) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ReplMode: new(true), AwaitPromise: new(true), ReturnByValue: new(true), UserGesture: new(true),
	})
	if err != nil {
		return err
	}
	if e := result.ExceptionDetails; e != nil {
		if e.Exception != nil {
			return errors.New(e.Exception.Description + string(e.Exception.Value))
		}
		return errors.New(e.Text)
	}
	if out == nil || len(result.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(result.Result.Value, out)
}

// text is the string that the expression gives.
func (b *tab) text(expression string) (s string) {
	b.t.Helper()
	b.eval(expression, &s)
	return s
}

// is checks an expression's value, as JSON.
func (b *tab) is(expression, want string) {
	b.t.Helper()
	var got, wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		b.t.Fatalf("%v: %s", err, want)
	}
	b.eval(expression, &got)
	if !reflect.DeepEqual(got, wanted) {
		text, _ := json.Marshal(got)
		b.t.Errorf("%s\n is %s\nwant %s", expression, text, want)
	}
}

// until waits in the page until the expression is true: after each event of
// iot's, and each change of the page.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0))); err != nil {
		b.t.Fatalf("%v: never became true: %s", err, expression)
	}
}

// fails checks that the expression rejects, with an error of the class and code
// whose text says all of the words.
func (b *tab) fails(expression, class, code string, words ...string) {
	b.t.Helper()
	b.t.Logf("%s", expression)
	var e struct{ Name, Code, Message, Stack string }
	b.eval(`await (async () => { try { await (`+expression+`) } catch (e) { return { name: e.name, code: String(e.code), message: e.message, stack: e.stack } } return { name: "nothing" } })()`, &e)
	if e.Name != class || e.Code != code {
		b.t.Errorf("%s\nfails with %s %s: %s\nwant %s %s", expression, e.Name, e.Code, e.Message, class, code)
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			b.t.Errorf("%s\nsays %q,\nwhich lacks %q", expression, e.Message, w)
		}
	}
	if strings.Contains(e.Message+e.Stack, "X-Amz-Signature=") {
		b.t.Errorf("the error shows a signed URL: %s\n%s", e.Message, e.Stack)
	}
}
