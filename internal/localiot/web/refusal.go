package web

import (
	"encoding/json"
	"net/http"
)

// Refusal is the JSON body of the response to a refused request. A browser does not report the reason to
// the page whose WebSocket was refused. The page can fetch the same URL and read this body.
type Refusal struct {
	Message string `json:"message"` // the message of AWS, if AWS has this error
	Code    string `json:"code"`    // the exception name of AWS; "" for an injected fault

	// Check is the name of the failed check: one of sigv4verify.Error, or host, origin, method, policy,
	// upgrade, subprotocol, closed, control, jobs or fault.
	Check string `json:"check"`
}

// Refuse sends a response with an HTTP status and a Refusal. Pages of every origin can read it.
func Refuse(w http.ResponseWriter, status int, refusal Refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Date, x-amzn-ErrorType") // a page can compare Date with its own clock
	if refusal.Code != "" {
		h.Set("x-amzn-ErrorType", refusal.Code)
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(refusal)
}
