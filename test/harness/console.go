package harness

import (
	"slices"
	"strings"

	"github.com/chromedp/cdproto/log"
)

// networkErrors contains the beginnings of the texts with which Chromium reports that a WebSocket was not opened or was cut.
// Errors of the protocol, for example "Close received after close", have other texts.
var networkErrors = []string{
	"Error in connection establishment: ",
	"Error during WebSocket handshake: ",
	"Connection closed before receiving a handshake response",
	"WebSocket is closed before the connection is established",
	"WebSocket opening handshake timed out",
}

// IsNetworkError reports whether an entry of the console is an error that Chromium reports for a request to /mqtt if the
// server is not reachable, refuses the request, or cuts the connection.
func IsNetworkError(e *log.Entry) bool {
	if !strings.HasPrefix(e.Text, "WebSocket connection to ") {
		return e.Source == "network" && strings.Contains(e.URL, "/mqtt")
	}
	_, text, _ := strings.Cut(e.Text, "' failed: ")
	return slices.ContainsFunc(networkErrors, func(known string) bool { return strings.HasPrefix(text, known) })
}
