package e2e

import (
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
)

// The console of a page has no error when a connection ends, whichever side ends it.
func TestCloseWithoutConsoleError(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t, "-faults")
	b := openModule(t, s)
	var mu sync.Mutex
	var entries []string
	if err := chromedp.Listen(b.Ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok {
			mu.Lock()
			defer mu.Unlock()
			entries = append(entries, string(e.Entry.Level)+": "+e.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.Eval(`const sockets = []; // resolve when the browser has closed a WebSocket
		globalThis.WebSocket = class extends WebSocket {
			constructor(...args) {
				super(...args);
				sockets.push(new Promise((resolve) => this.addEventListener("close", ({ code, wasClean }) => resolve([code, wasClean]))));
			}
		};
		const options = { ...at, credentials: () => local.credentials, reconnect: { minDelayMs: 1, maxDelayMs: 5 } };
		const client = new IotClient(options);
		for (let i = 0; i < 20; i++) {
			await client.connect();
			await client.disconnect();
		}`, nil)
	b.Is(`[sockets.length, (await Promise.all(sockets)).every(([code, wasClean]) => code === 1000 && wasClean)]`, `[20,true]`)

	// The server ends the connections.
	b.Eval(`sockets.length = 0; const first = new IotClient({ ...options, clientId: "twice" });
		await first.connect();
		const ended = new Promise((resolve) => first.addEventListener("closed", resolve, { once: true }));
		await new IotClient({ ...options, clientId: "twice" }).connect();
		await ended;`, nil)
	b.Is(`await sockets[0]`, `[1000,true]`)
	s.Control(`{"disconnect":{"client":"*","reason":152}}`)
	b.Is(`await sockets[1]`, `[1000,true]`)

	mu.Lock()
	defer mu.Unlock()
	for _, e := range entries {
		t.Error(e)
	}
}
