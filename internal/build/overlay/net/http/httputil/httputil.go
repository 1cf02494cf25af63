// Package httputil replaces net/http/httputil in iot.wasm. The log of the AWS SDK names two of its functions. The
// program never calls them.
package httputil

import (
	"errors"
	"net/http"
)

var errNotInWasm = errors.New("net/http/httputil is not in iot.wasm: internal/build/overlay replaces it")

// DumpRequestOut returns an error.
func DumpRequestOut(*http.Request, bool) ([]byte, error) { return nil, errNotInWasm }

// DumpResponse returns an error.
func DumpResponse(*http.Response, bool) ([]byte, error) { return nil, errNotInWasm }
