package harness

import (
	"testing"

	"github.com/chromedp/cdproto/log"
)

func TestIsNetworkError(t *testing.T) {
	const socket = "WebSocket connection to 'ws://localhost:1/mqtt?x' failed: "
	for text, want := range map[string]bool{
		socket + "Error in connection establishment: net::ERR_CONNECTION_REFUSED":  true,
		socket + "Error during WebSocket handshake: Unexpected response code: 503": true,
		socket + "Connection closed before receiving a handshake response":         true,
		socket + "Close received after close":                                      false,
		socket + "Invalid frame header":                                            false,
		socket:                                                                     false,
		"Uncaught Error: after a close":                                            false,
	} {
		if got := IsNetworkError(&log.Entry{Text: text, Source: "network"}); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	refused := log.Entry{Text: "Failed to load resource: net::ERR_CONNECTION_REFUSED", Source: "network"}
	for url, want := range map[string]bool{"http://localhost:1/mqtt?x": true, "http://localhost:1/demos.css": false} {
		refused.URL = url
		if got := IsNetworkError(&refused); got != want {
			t.Errorf("%s: got %v, want %v", url, got, want)
		}
	}
}
