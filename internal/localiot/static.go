package localiot

import (
	"io/fs"
	"net/http"
	"path"
)

// contentTypes are written down because the system's own table may say otherwise: text/plain for
// .js, which browsers refuse to run, and video/mp2t for .ts.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".map":  "application/json",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ts":   "text/plain; charset=utf-8",
	".wasm": "application/wasm",
}

// staticFiles serves www. A browser may keep a file but asks every time whether it has changed, so
// that a module built a moment ago is the one that runs.
func staticFiles(www fs.FS) http.Handler {
	files := http.FileServerFS(www)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowOrigin(w, r)
		w.Header().Set("Cache-Control", "no-cache")
		if contentType, ok := contentTypes[path.Ext(r.URL.Path)]; ok {
			w.Header().Set("Content-Type", contentType)
		}
		files.ServeHTTP(w, r)
	})
}
