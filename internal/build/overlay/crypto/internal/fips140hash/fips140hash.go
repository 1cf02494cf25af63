// Package fips140hash replaces crypto/internal/fips140hash in iot.wasm. crypto/hmac calls it to find the inner
// implementation of SHA-3. The signature uses SHA-256, which has none. The real package brings SHA-3 into the wasm.
package fips140hash

import "hash"

// Unwrap returns h.
func Unwrap(h hash.Hash) hash.Hash { return h }

// UnwrapNew returns a function that calls newHash.
func UnwrapNew[Hash hash.Hash](newHash func() Hash) func() hash.Hash {
	return func() hash.Hash { return newHash() }
}
