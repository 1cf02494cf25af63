package places

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A site is the server of one engine: the pages, the suite, www/, and the
// stand-in behind it.
type site struct {
	web      *httptest.Server
	broker   string // its URL, without a slash at the end
	settings []byte // what a page needs to reach the stand-in
	members  []byte // the names that www/iot.d.ts declares, as JSON
	reports  chan report
	next     map[string]string // the place after each
	done     map[string]bool   // the places whose suite has come to its end

	mu    sync.Mutex
	asked map[string]int // how often each path was
}

// A report is what the suite says of one test, or of its end.
type report struct {
	Place, Test, Error string
	Ms                 float64
	End                bool
	Tests              int    // at the end, how many there were
	Fatal              string // the suite itself has failed
}

func newSite(t *testing.T, engine string, places ...string) *site {
	t.Helper()
	s := &site{reports: make(chan report, 1000), next: map[string]string{}, done: map[string]bool{}, asked: map[string]int{}}
	for i := range len(places) - 1 {
		s.next[places[i]] = places[i+1]
	}
	s.broker = startBroker(t)
	response, err := http.Get(s.broker + "/local.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var settings map[string]any
	if err := json.NewDecoder(response.Body).Decode(&settings); err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile(filepath.Join(root, "www/iot.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(wasm)
	settings["engine"] = engine
	settings["integrity"] = "sha256-" + base64.StdEncoding.EncodeToString(hash[:])
	settings["nobody"] = nobody(t)
	if s.settings, err = json.Marshal(settings); err != nil {
		t.Fatal(err)
	}
	if s.members, err = declared(); err != nil {
		t.Fatalf("test/types/members.mjs: %v", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /report", s.report)
	mux.HandleFunc("POST /control", s.control)
	mux.HandleFunc("GET /asked/{path...}", s.count)
	mux.HandleFunc("GET /settings.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.settings) })
	mux.HandleFunc("GET /golden.json", file("wasm/sigv4/testdata/sigv4-golden.json"))
	mux.HandleFunc("GET /members.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.members) })
	mux.HandleFunc("GET /place/{name}", s.page)
	mux.HandleFunc("GET /frame/{name}", s.frame)
	mux.HandleFunc("GET /places/", folder("test/places", "/places"))
	mux.HandleFunc("GET /copy/{n}/{path...}", func(w http.ResponseWriter, r *http.Request) { // the module again, as another one
		file("www/"+r.PathValue("path"))(w, r)
	})
	mux.HandleFunc("GET /wrong-type/iot.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, filepath.Join(root, "www/iot.wasm"))
	})
	mux.HandleFunc("GET /", folder("www", ""))
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		s.mu.Unlock()
		w.Header().Set("Cache-Control", "no-store") // so that every download is counted
		w.Header().Set("Access-Control-Allow-Origin", "*")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.web.Close)
	return s
}

// startBroker starts serve.go, and returns its URL.
func startBroker(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(serveBinary, "-addr", "127.0.0.1:0", "-faults", "-allow-origin", "null", "-max-qos", "2")
	cmd.Dir = root
	out, in := io.Pipe()
	cmd.Stdout = in
	p := start(t, cmd)
	go func() { <-p.gone; in.Close() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	i := strings.Index(line, "http://")
	if err != nil || i < 0 {
		t.Fatalf("serve.go says %q: %v\n%s", line, err, &p.output)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return strings.TrimSuffix(strings.TrimSpace(line[i:]), "/")
}

// nobody is the address of a server that hangs up on everybody.
func nobody(t *testing.T) string {
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
			_ = c.Close()
		}
	}()
	return "ws://" + l.Addr().String() + "/mqtt"
}

func (s *site) report(w http.ResponseWriter, r *http.Request) {
	var what report
	if err := json.NewDecoder(r.Body).Decode(&what); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.reports <- what
}

// control hands a fault on to the stand-in, which a page's policy keeps it from.
func (s *site) control(w http.ResponseWriter, r *http.Request) {
	response, err := http.Post(s.broker+"/control", "application/json", r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

func (s *site) count(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(w, s.asked["/"+r.PathValue("path")])
}

// page is the window of a place. Its script runs the suite, or what does.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	scripts := fmt.Sprintf(`<script type="module" src="/places/entry/%s.js"></script>`, name)
	if name == "classic" {
		scripts = `<script src="/places/entry/before.js"></script><script src="/iot.global.js"></script>` + scripts
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html data-next=%q><meta charset=utf-8><title>%s</title><link rel=icon href=data:,>%s", s.next[name], name, scripts)
}

// frame is a document that is to be shown in a frame.
func (s *site) frame(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("name") == "csp" {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "+
			strings.Replace(s.broker, "http://", "ws://", 1)+"; require-trusted-types-for 'script'")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><meta charset=utf-8><title>frame</title><script type="module" src="/places/entry/frame.js"></script>`)
}

func folder(name, prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		file(path.Join(name, strings.TrimPrefix(path.Clean(r.URL.Path), prefix)))(w, r)
	}
}

// file serves a file of the project, with a type that does not depend on the machine.
func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if kind, ok := map[string]string{".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm"}[path.Ext(name)]; ok {
			w.Header().Set("Content-Type", kind)
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			w.Header().Set("Content-Type", "text/plain")
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		_, _ = w.Write(data)
	}
}
