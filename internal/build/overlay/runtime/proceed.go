//go:build snapshot

// This file is added to package runtime in iot.wasm. A page continues a program whose start has run in the build, with
// random bytes that are public and the same for every page; see internal/build/snapshot.

package runtime

import (
	"internal/abi"
	"unsafe"
)

// iotProceed prepares a program whose start has run in the build.
//
// It restores findfunctab, which internal/build/pclntab has removed because it would be a quarter of the wasm. On
// WebAssembly, a program counter is the index of a function << 16, so each function has the same number of buckets. Without
// the table, findfunc does a linear search.
//
// It gives the random generators new random bytes, as the start of a program does. math/rand/v2 and the seeds of
// new maps use them. The hash seeds of existing maps stay the same.
//
//go:linkname iotProceed main.prepare
func iotProceed() {
	const perFunction = 1 << 16 / abi.FuncTabBucketSize
	datap := &firstmoduledata
	buckets := (datap.maxpc - datap.minpc + abi.FuncTabBucketSize - 1) / abi.FuncTabBucketSize
	table := unsafe.Slice((*findfuncbucket)(unsafe.Pointer(datap.findfunctab)), buckets)
	for i := range table {
		table[i].idx = uint32(i / perFunction)
	}
	globalRand.init = false
	randinit()
	mrandinit(getg().m)
}
