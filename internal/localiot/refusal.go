package localiot

import (
	"encoding/json"
	"net/http"
)

// refusal is an answer other than the one asked for. Its JSON body can be read by any page, since a
// WebSocket's own error tells a page nothing: fetching the same URL with http: shows why.
type refusal struct {
	status  int
	Message string `json:"message"` // worded as AWS words it, where AWS has the error
	Code    string `json:"code"`    // AWS's name for the exception
	Check   string `json:"check"`   // which check failed; see sigv4verify.Error
}

func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Date, x-amzn-ErrorType") // Date shows a page how wrong its clock is
	h.Set("x-amzn-ErrorType", f.Code)
	w.WriteHeader(f.status)
	json.NewEncoder(w).Encode(f)
}
