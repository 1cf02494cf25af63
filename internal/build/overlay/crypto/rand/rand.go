// Package rand replaces crypto/rand in iot.wasm. The retries of the AWS SDK name it. A presigned URL contains no random
// value, and the client gets its random numbers from the page. The real package brings AES and its self-tests into
// the wasm.
//
// Each function returns an error.
package rand

import (
	"errors"
	"io"
	"math/big"
)

var errNotInWasm = errors.New("crypto/rand is not in iot.wasm: internal/build/overlay replaces it")

// Reader returns an error.
var Reader io.Reader = none{}

type none struct{}

func (none) Read([]byte) (int, error) { return 0, errNotInWasm }

// Int returns an error.
func Int(io.Reader, *big.Int) (*big.Int, error) { return nil, errNotInWasm }
