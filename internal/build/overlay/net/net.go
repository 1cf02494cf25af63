// Package net replaces the package net in iot.wasm. The packets of paho.golang are written as Buffers. The program opens
// no connection, because the browser does.
//
// It contains Buffers, which works as that of the real package, and a few names that other packages mention. The
// other functions return an error.
package net

import (
	"errors"
	"io"
)

// Conn is as in net, without its addresses and deadlines.
type Conn interface {
	io.ReadWriteCloser
}

// Buffers is as in net.
type Buffers [][]byte

// WriteTo writes the buffers to w and removes what it has written.
func (v *Buffers) WriteTo(w io.Writer) (n int64, err error) {
	for len(*v) > 0 {
		written, err := w.Write((*v)[0])
		n += int64(written)
		if err != nil {
			(*v)[0] = (*v)[0][written:]
			return n, err
		}
		*v = (*v)[1:]
	}
	return n, nil
}

// SplitHostPort returns an error.
func SplitHostPort(string) (host, port string, err error) {
	return "", "", errors.New("net is not in iot.wasm: internal/build/overlay replaces it")
}
