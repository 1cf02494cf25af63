// Package fips140only replaces crypto/internal/fips140only in iot.wasm. crypto/hmac calls it to find out whether only
// algorithms of FIPS 140-3 are allowed, which the build rules out (see findToolchain). The real package brings AES, SHA-3 and a
// random generator into the wasm.
package fips140only

import (
	"hash"
	"io"
)

// Enforced returns false.
func Enforced() bool { return false }

// ApprovedHash returns false. It is called only if Enforced returns true.
func ApprovedHash(hash.Hash) bool { return false }

// ApprovedRandomReader returns false. It is called only if Enforced returns true.
func ApprovedRandomReader(io.Reader) bool { return false }
