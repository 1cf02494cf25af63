package dist

import (
	"context"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"iot.wasm/internal/localiot"
)

// A standIn is a stand-in for AWS IoT Core that also serves a folder.
type standIn struct {
	url     string // with the slash at its end
	sockets atomic.Int32
	// replaced are bodies to serve in place of those in the folder, by path.
	replaced map[string][]byte
}

func serve(t *testing.T, folder string) *standIn {
	t.Helper()
	local, err := localiot.New(localiot.Options{WWW: os.DirFS(folder), MaximumQoS: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{replaced: map[string][]byte{}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			s.sockets.Add(1)
		}
		if body, ok := s.replaced[r.URL.Path]; ok {
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
			_, _ = w.Write(body)
			return
		}
		local.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = local.Close() })
	s.url = web.URL + "/"
	return s
}

// patience is longer than any page should need.
const patience = time.Minute

// read opens a page, waits until the expression is true in it, and returns its value.
func read[T any](t *testing.T, url, expression string) T {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	err := chromedp.Listen(tab, func(ev any) {
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
	ctx, cancel := context.WithTimeout(tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	value, err := chromedp.Run(ctx, chromedp.Poll[T](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0)))
	if err != nil {
		t.Fatalf("%v: never became true: %s", err, expression)
	}
	return value
}
