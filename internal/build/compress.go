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

// compressible lists the extensions of the files that compress compresses.
var compressible = []string{".js", ".wasm", ".map"}

// compress adds a .br and a .gz file for each file with a compressible extension, at the
// highest compression levels. It takes half a minute.
func compress(files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(compressible, path.Ext(name)) {
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

// integrity returns the hash of a file in the form of <script integrity> and
// load({integrity}).
func integrity(data []byte) string {
	sum := sha512.Sum384(data)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
