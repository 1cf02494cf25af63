package e2e

import (
	"testing"

	"iot.wasm/test/harness"
)

// The start of the program has run in the build, with random bytes that are public. Pages must still have different random
// numbers: here, the random delay before the second attempt to connect.
func TestPagesHaveDifferentRandomNumbers(t *testing.T) {
	t.Parallel()
	s := harness.Serve(t)
	delays := map[float64]bool{}
	const pages = 3
	for range pages {
		b := open(t, s.URL+"iot.js")
		var delay float64
		b.Eval(`const { IotClient } = await import("/iot.js");
			const client = new IotClient({ url: "ws://127.0.0.1:1/mqtt", reconnect: { minDelayMs: 60000, maxDelayMs: 3600000 } });
			const disconnected = new Promise((resolve) => client.addEventListener("disconnected", ({ detail }) => resolve(detail.retryInMs)));
			client.connect().catch(() => {});
			const delay = await disconnected;
			await client.disconnect();
			delay`, &delay)
		delays[delay] = true
		b.Close()
	}
	if len(delays) != pages {
		t.Errorf("%d pages have the delays %v, want different ones", pages, delays)
	}
}
