package localiot

import (
	"io/fs"
	"net/http"
	"path"
	"strings"

	"iot.wasm/internal/localiot/web"
	"iot.wasm/internal/sigv4verify"
)

// contentTypes replaces the table of the operating system, which may contain other types. For example,
// it may contain text/plain for .js, and browsers do not run such a file.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".jsx":  "text/plain; charset=utf-8",
	".map":  "application/json",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".tmpl": "text/plain; charset=utf-8",
	".ts":   "text/plain; charset=utf-8",
	".vue":  "text/plain; charset=utf-8",
	".wasm": "application/wasm",
}

// isUnsignedFile reports whether a request without a signature is for a file or a folder of www. The folder
// may contain names with which the paths of the HTTP APIs begin, such as jobs.
func isUnsignedFile(www fs.FS, r *http.Request) bool {
	if sigv4verify.IsSigned(r) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	_, err := fs.Stat(www, strings.Trim(r.URL.Path, "/")) // fails for paths with dots
	return err == nil
}

// staticFiles serves www. Browsers may cache a file but must revalidate it on every use, so that a
// page never runs an outdated build.
func staticFiles(www fs.FS) http.Handler {
	files := http.FileServerFS(www)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.AllowOrigin(w, r)
		w.Header().Set("Cache-Control", "no-cache")
		if contentType, ok := contentTypes[path.Ext(r.URL.Path)]; ok {
			w.Header().Set("Content-Type", contentType)
		}
		files.ServeHTTP(w, r)
	})
}
