package localiot

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard keeps other people's pages away from a server that hands out credentials. The Origin tells
// which page asks. The Host must be checked too: by rebinding its own DNS name to 127.0.0.1 a
// foreign page becomes, to the browser, of the same origin as this server.
type guard struct {
	hosts   []string
	origins []string
}

func newGuard(hosts, origins []string) guard {
	var g guard
	for _, host := range hosts {
		if host != "" {
			g.hosts = append(g.hosts, normalHost(host))
		}
	}
	for _, origin := range origins {
		g.origins = append(g.origins, strings.ToLower(strings.TrimSuffix(origin, "/")))
	}
	return g
}

func (g guard) check(r *http.Request) *refusal {
	if !g.allowsHost(r.Host) {
		return &refusal{http.StatusForbidden, "This server does not answer to that host. To allow it, start the server with -allow-host and its name.", "ForbiddenException", "host"}
	}
	// A client that is not a browser sends none.
	for _, origin := range r.Header.Values("Origin") {
		if !g.allowsOrigin(origin) {
			return &refusal{http.StatusForbidden, "This server is not open to pages of that origin. To allow it, start the server with -allow-origin and the origin.", "ForbiddenException", "origin"}
		}
	}
	return nil
}

func (g guard) allowsHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = normalHost(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(g.hosts, host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (g guard) allowsOrigin(origin string) bool {
	if slices.Contains(g.origins, strings.ToLower(origin)) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && g.allowsHost(u.Host)
}

// normalHost writes a host as the allow-list has it: lower case, no brackets, no dot at the end.
func normalHost(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// allowOrigin lets the page that asks read the answer. The guard has let its origin pass.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}
