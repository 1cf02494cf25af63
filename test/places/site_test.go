package places

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"iot.wasm/test/harness"
)

// www is the folder of the module's sources.
func www() string { return filepath.Join(harness.Root, "www") }

// A site is the web server of one engine. It serves the pages, the suite and the module.
type site struct {
	web      *httptest.Server
	module   string // the folder that contains iot.js and iot.wasm
	broker   *harness.Server
	local    harness.Settings
	settings []byte // the content of /settings.json
	members  []byte // the names that www/iot.d.ts declares, as JSON
	reports  chan report
	next     map[string]string // the place that follows each place
	done     map[string]bool   // the places where the suite has ended

	mu       sync.Mutex
	requests map[string]int // by path
}

// A report is the result of one test in a place, or the end of the suite.
type report struct {
	Place, Test, Error string
	Ms                 float64
	End                bool
	Tests              int    // at the end, the number of all tests
	Fatal              string // the reason if the suite cannot run
}

// newSite serves the module in a folder to an engine. After the suite in one of the places,
// the browser navigates to the next place.
func newSite(t *testing.T, engine, module string, places ...string) *site {
	t.Helper()
	s := &site{module: module, reports: make(chan report, 1000), next: map[string]string{}, done: map[string]bool{}, requests: map[string]int{}}
	for i := range len(places) - 1 {
		s.next[places[i]] = places[i+1]
	}
	s.broker = harness.Serve(t, "-faults", "-allow-origin", "null", "-max-qos", "2")
	s.local = s.broker.Settings()
	local := s.local
	wasm, err := os.ReadFile(filepath.Join(module, "iot.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(wasm)
	if s.settings, err = json.Marshal(map[string]any{
		"endpoint": local.Endpoint, "region": local.Region,
		"credentials": map[string]string{"accessKeyId": local.Credentials.AccessKeyID, "secretAccessKey": local.Credentials.SecretAccessKey},
		"engine":      engine,
		"integrity":   "sha256-" + base64.StdEncoding.EncodeToString(hash[:]),
		"unreachable": "ws://" + harness.Listen(t, func(c *net.TCPConn) { _ = c.Close() }) + "/mqtt",
	}); err != nil {
		t.Fatal(err)
	}
	if s.members, err = declared(); err != nil {
		t.Fatalf("test/types/members.mjs: %v", err)
	}
	mux := s.routes()
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests[r.URL.Path]++
		s.mu.Unlock()
		w.Header().Set("Cache-Control", "no-store") // every download must be a request
		w.Header().Set("Access-Control-Allow-Origin", "*")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.web.Close)
	return s
}

func (s *site) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /report", s.report)
	mux.HandleFunc("POST /control", s.control)
	mux.HandleFunc("POST /call", s.call)
	mux.HandleFunc("GET /requests/{path...}", s.count)
	mux.HandleFunc("GET /settings.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.settings) })
	mux.HandleFunc("GET /golden.json", file(filepath.Join(harness.Root, "wasm/sigv4/testdata/sigv4-golden.json")))
	mux.HandleFunc("GET /packets.json", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(encodedPackets()) })
	mux.HandleFunc("GET /members.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.members) })
	mux.HandleFunc("GET /place/{name}", s.page)
	mux.HandleFunc("GET /frame/{name}", s.frame)
	mux.HandleFunc("GET /places/", folder(".", "/places"))
	mux.HandleFunc("GET /copy/{n}/{path...}", func(w http.ResponseWriter, r *http.Request) { // another URL makes another instance of the module
		file(filepath.Join(s.module, r.PathValue("path")))(w, r)
	})
	mux.HandleFunc("GET /wrong-type/iot.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, filepath.Join(s.module, "iot.wasm"))
	})
	mux.HandleFunc("GET /", folder(s.module, ""))
	return mux
}

func (s *site) report(w http.ResponseWriter, r *http.Request) {
	var one report
	if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.reports <- one
}

// control passes a fault to the stand-in. The policy of the frame csp does not allow HTTP
// requests to the stand-in itself.
func (s *site) control(w http.ResponseWriter, r *http.Request) {
	response, err := http.Post(s.broker.URL+"control", "application/json", r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

// call makes a signed request to the control plane of the stand-in, as a backend does.
func (s *site) call(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Method, Path string
		Body         json.RawMessage
	}
	err := json.NewDecoder(r.Body).Decode(&request)
	if err == nil {
		err = s.local.Call(request.Method, request.Path, request.Body, nil)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (s *site) count(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(w, s.requests["/"+r.PathValue("path")])
}

// page serves the top-level page of a place. Its script runs the suite, in the page or in a
// frame or worker.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	scripts := fmt.Sprintf(`<script type="module" src="/places/entry/%s.js"></script>`, name)
	if name == "classic" {
		scripts = `<script src="/places/entry/before.js"></script><script src="/iot.global.js"></script>` + scripts
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html data-next=%q><meta charset=utf-8><title>%s</title><link rel=icon href=data:,>%s", s.next[name], name, scripts)
}

// frame serves the document of a frame.
func (s *site) frame(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("name") == "csp" {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "+
			"ws://"+s.broker.Addr+"; require-trusted-types-for 'script'")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><meta charset=utf-8><title>frame</title><script type="module" src="/places/entry/frame.js"></script>`)
}

// folder returns a handler that serves the files of a folder under a prefix of the request
// path.
func folder(name, prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		file(filepath.Join(name, strings.TrimPrefix(path.Clean(r.URL.Path), prefix)))(w, r)
	}
}

// file returns a handler that serves a file with the Content-Type of [harness.SetType].
func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := os.ReadFile(name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		harness.SetType(w, name)
		_, _ = w.Write(data)
	}
}
