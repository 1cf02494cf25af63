package harness

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"sync/atomic"
	"testing"

	"iot.wasm/internal/localiot"
)

// Files are responses, by request path. A server sends them instead of the files of a
// folder.
type Files map[string]File

// A File is a response. Its Content-Type depends on the extension of the request path, as
// described at SetType, unless Header contains another.
type File struct {
	Body   string
	Header map[string]string
}

// before serves the files, and passes all other requests to next.
func (f Files) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := f[r.URL.Path]
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		SetType(w, r.URL.Path)
		for name, value := range file.Header {
			w.Header().Set(name, value)
		}
		_, _ = w.Write([]byte(file.Body))
	})
}

var mediaTypes = map[string]string{
	"": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8",
	".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm",
}

// SetType sets the Content-Type of a response by the extension of a name, so that it
// does not depend on the machine's own table of media types. A name without an extension is
// HTML. SetType has no effect for other extensions than .html, .js, .json and .wasm.
func SetType(w http.ResponseWriter, name string) {
	if kind := mediaTypes[path.Ext(name)]; kind != "" {
		w.Header().Set("Content-Type", kind)
	}
}

// Web serves the files until the test ends. For other paths it serves the files of a folder.
// The URL has no slash at its end.
func Web(t *testing.T, folder string, files Files) (url string) {
	t.Helper()
	folderFiles := http.FileServer(http.Dir(folder))
	web := httptest.NewServer(files.before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetType(w, r.URL.Path)
		folderFiles.ServeHTTP(w, r)
	})))
	t.Cleanup(web.Close)
	return web.URL
}

// A StandIn is a stand-in for AWS IoT Core that runs in the process of the test.
type StandIn struct {
	URL     string       // ends with a slash
	Sockets atomic.Int32 // the number of requests for a WebSocket
	Files   Files        // the test adds files before the first request
}

// ServeStandIn serves a stand-in and the files of a folder until the test ends.
func ServeStandIn(t *testing.T, folder string) *StandIn {
	t.Helper()
	local, err := localiot.New(localiot.Options{WWW: os.DirFS(folder), MaximumQoS: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &StandIn{Files: Files{}}
	handler := s.Files.before(local)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			s.Sockets.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = local.Close() })
	s.URL = web.URL + "/"
	return s
}

// Listen accepts TCP connections on a free port of this machine until the test ends. It
// calls handle for each of them in a goroutine.
func Listen(t *testing.T, handle func(c *net.TCPConn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c.(*net.TCPConn))
		}
	}()
	return l.Addr().String()
}
