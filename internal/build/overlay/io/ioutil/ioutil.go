// Package ioutil replaces io/ioutil in iot.wasm. Package packets of paho.golang names it. The real package names os.
package ioutil

import "io"

// ReadAll reads all bytes.
func ReadAll(r io.Reader) ([]byte, error) { return io.ReadAll(r) }
