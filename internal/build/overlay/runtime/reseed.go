// This file is added to package runtime in iot.wasm. A page continues a program whose start has run in the build, with
// random bytes that are public and the same for every page; see internal/build/snapshot.

package runtime

import _ "unsafe" // for go:linkname

// iotReseed gives the random generators of the runtime new random bytes, as the start of a program does. math/rand/v2 and
// the seeds of new maps use them. The hash seeds of existing maps stay the same.
//
//go:linkname iotReseed main.reseed
func iotReseed() {
	globalRand.init = false
	randinit()
	mrandinit(getg().m)
}
