package harness

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// WatchWasm is a script for a page that has not loaded the wasm yet. The script makes the
// page's global variable wasm refer to the exports of the newest WebAssembly instance.
//
//go:embed watchwasm.js
var WatchWasm string

// Evaluate runs an expression in the page of a tab as the browser's console does: the
// expression may contain await. Evaluate decodes the value into out, unless out is nil.
func Evaluate(tab context.Context, expression string, out any) error {
	result, err := chromedp.Call(tab, runtime.Evaluate, runtime.EvaluateParams{
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

// Poll evaluates an expression in the page of a tab every 20 ms until its value is
// truthy, and returns that value. It has no timeout of its own, and fails if tab ends
// first.
func Poll[T any](tab context.Context, expression string) (T, error) {
	return chromedp.Run(tab, chromedp.Poll[T](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0)))
}
