package web

import (
	"encoding/json"
	"net/http"
)

// Refusal is the JSON body of an answer to a request that the server does not serve. A page whose
// WebSocket was refused gets no reason from the browser; it can fetch the same URL and read this
// body.
type Refusal struct {
	Message string `json:"message"` // in the wording of AWS, where AWS has the error
	Code    string `json:"code"`    // the exception name of AWS
	Check   string `json:"check"`   // the name of the failed check; see sigv4verify.Error
}

// Refuse answers a request with an HTTP status and a Refusal that pages of every origin can read.
func Refuse(w http.ResponseWriter, status int, refusal Refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Date, x-amzn-ErrorType") // a page can compare Date with its own clock
	h.Set("x-amzn-ErrorType", refusal.Code)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(refusal)
}
