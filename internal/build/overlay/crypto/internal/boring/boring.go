// Package boring replaces crypto/internal/boring in iot.wasm. The hashes of the standard library ask it for a BoringCrypto
// module, which exists on Linux only. The real package names crypto/cipher, whose initialiser brings AES and a random
// generator into the wasm.
package boring

import "hash"

// Enabled is false: there is no BoringCrypto module.
const Enabled = false

// Unreachable does nothing.
func Unreachable() {}

// NewSHA224 panics, as do the following functions. The callers check Enabled first.
func NewSHA224() hash.Hash { panic(notInWasm) }

// NewSHA256 panics.
func NewSHA256() hash.Hash { panic(notInWasm) }

// SHA224 panics.
func SHA224([]byte) [28]byte { panic(notInWasm) }

// SHA256 panics.
func SHA256([]byte) [32]byte { panic(notInWasm) }

// NewHMAC panics.
func NewHMAC(func() hash.Hash, []byte) hash.Hash { panic(notInWasm) }

const notInWasm = "crypto/internal/boring is not in iot.wasm: internal/build/overlay replaces it"
