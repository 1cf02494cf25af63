package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/andybalholm/brotli"
)

// served are the kinds of file that a browser downloads.
var served = []string{".js", ".wasm", ".map"}

// compress adds, beside each file that a browser downloads, the same with brotli
// and with gzip, as small as they can make it. It takes half a minute.
func compress(files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(served, path.Ext(name)) {
			continue
		}
		var br, gz bytes.Buffer
		zipper, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
		if err != nil {
			return err
		}
		for _, w := range []io.WriteCloser{brotli.NewWriterLevel(&br, brotli.BestCompression), zipper} {
			if _, err := w.Write(files[name]); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		files[name+".br"], files[name+".gz"] = br.Bytes(), gz.Bytes()
	}
	return nil
}

// integrity is the hash of a file as <script integrity> and load({integrity}) take it.
func integrity(data []byte) string {
	sum := sha512.Sum384(data)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
