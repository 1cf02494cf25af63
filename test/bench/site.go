package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

// A site serves the page, the clients and the lean peer from one origin:
//
//	/            the page
//	/preload     the page with lines that make the browser load iot.wasm before its import
//	/peers/x.js  a client, bundled
//	/www/        the files of iot.wasm
//	/mqtt/x      the lean peer
//	/control/    requests of the page to the lean peer
//
// The site compresses the clients before it serves them, and the browser may cache them.
type site struct {
	lean    *lean
	www     string            // the folder that contains iot.js
	scripts map[string][]byte // the bundles by request path

	mu     sync.Mutex
	packed map[string][]byte // compressed files by request path
}

// listen serves on a free port until the context ends.
func (s *site) listen(ctx context.Context) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /mqtt/{name}", s.lean)
	mux.HandleFunc("GET /control/blast", s.blast)
	mux.HandleFunc("GET /control/expect", s.expect)
	mux.HandleFunc("GET /peers/", s.client)
	mux.HandleFunc("GET /www/", s.client)
	mux.Handle("GET /preload", noStore(http.HandlerFunc(s.preload)))
	mux.Handle("GET /", noStore(http.FileServer(http.Dir(dir+"/page"))))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
		}
	}()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return l.Addr().String(), nil
}

// isolate makes the page cross-origin isolated, so that its clock has a resolution of 5 µs
// instead of 100 µs.
func isolate(w http.ResponseWriter) {
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
}

func noStore(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isolate(w)
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// buildStamp matches the stamp in iot.js, which is the query of the wasm's URL.
var buildStamp = regexp.MustCompile(`"(\d+\.\d+\.\d+\+[0-9a-f]+)"`)

// preload serves the page with the link elements that load iot.js and iot.wasm early.
func (s *site) preload(w http.ResponseWriter, _ *http.Request) {
	page, err := os.ReadFile(dir + "/page/preload.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	script, err := os.ReadFile(filepath.Join(s.www, "iot.js"))
	stamp := buildStamp.FindSubmatch(script)
	if err != nil || stamp == nil {
		http.Error(w, "iot.js contains no stamp of the build", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.ReplaceAll(page, []byte("STAMP"), stamp[1]))
}

// client serves a file of a client. The headers are those of a server that is configured well:
// the file is compressed, and the browser never requests it again.
func (s *site) client(w http.ResponseWriter, r *http.Request) {
	body, err := s.pack(path.Clean(r.URL.Path))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", contentType(r.URL.Path))
	w.Header().Set("Content-Encoding", "br")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	isolate(w)
	_, _ = w.Write(body)
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript"
	case ".wasm":
		return "application/wasm"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// pack returns a compressed file.
func (s *site) pack(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.packed[name]; ok {
		return b, nil
	}
	body, ok := s.scripts[name]
	if !ok {
		rest, ok := strings.CutPrefix(name, "/www/")
		if !ok {
			return nil, fmt.Errorf("%s does not exist", name)
		}
		var err error
		if body, err = os.ReadFile(filepath.Join(s.www, filepath.FromSlash(rest))); err != nil {
			return nil, err
		}
	}
	b, err := compress(body)
	if err == nil {
		s.packed[name] = b
	}
	return b, err
}

// sizes returns the size of iot.wasm, compressed and not.
func (s *site) sizes() (sample, error) {
	packed, err := s.pack("/www/iot.wasm")
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(filepath.Join(s.www, "iot.wasm"))
	if err != nil {
		return nil, err
	}
	return sample{"wasm.bytes": float64(len(packed)), "wasm.raw": float64(info.Size())}, nil
}

// compress compresses with brotli 11. Because that takes 20 s for a wasm of 6 MB, the
// result is cached in the user's cache folder by the hash of the content.
func compress(body []byte) ([]byte, error) {
	cached := ""
	if dir, err := os.UserCacheDir(); err == nil {
		cached = filepath.Join(dir, "iot.wasm", "bench", fmt.Sprintf("%x.br", sha256.Sum256(body)))
		if b, err := os.ReadFile(cached); err == nil {
			return b, nil
		}
	}
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if cached != "" && os.MkdirAll(filepath.Dir(cached), 0o755) == nil {
		_ = os.WriteFile(cached, b.Bytes(), 0o644) // if this fails, the next run compresses again
	}
	return b.Bytes(), nil
}

// blast makes the lean peer send messages to the page. It responds after the end message.
func (s *site) blast(w http.ResponseWriter, r *http.Request) {
	q := numbers{query: r.URL.Query()}
	b := blast{Count: q.get("count"), Size: q.get("size"), QoS: byte(q.get("qos")), PerFrame: q.get("perFrame")}
	s.control(w, r, q.err, func(k *conn) error { return k.blast(r.Context(), b) })
}

// expect sets the number of messages after which the lean peer sends the end message.
func (s *site) expect(w http.ResponseWriter, r *http.Request) {
	q := numbers{query: r.URL.Query()}
	n := q.get("publishes")
	s.control(w, r, q.err, func(k *conn) error {
		k.expect(n)
		return nil
	})
}

func (s *site) control(w http.ResponseWriter, r *http.Request, err error, do func(*conn) error) {
	var k *conn
	if err == nil {
		k, err = s.lean.get(r.URL.Query().Get("conn"))
	}
	if err == nil {
		err = do(k)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// numbers reads integers of a query and stores the first error.
type numbers struct {
	query url.Values
	err   error
}

func (n *numbers) get(name string) int {
	i, err := strconv.Atoi(n.query.Get(name))
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("%s: %w", name, err)
	}
	return i
}
