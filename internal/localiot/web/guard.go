// Package web implements the HTTP rules that all services of the local AWS IoT Core share: the hosts
// and origins that may use the server, CORS headers, and the response to a refused request.
package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Guard refuses requests from pages of other sites, because the server issues credentials. It checks
// two headers:
//
//   - Origin contains the site of the page that sends the request.
//   - Host contains the name by which the page addresses the server. With DNS rebinding, the name of
//     another site resolves to 127.0.0.1, and the browser treats this server as a part of that site.
type Guard struct {
	hosts   []string // in the form of normalHost
	origins []string // in lower case
}

// NewGuard returns a Guard that allows the loopback hosts (localhost, *.localhost, 127.0.0.0/8 and
// ::1), the given hosts, the pages of all these hosts, and the pages of the given origins. Hosts
// have no port. Empty hosts are ignored.
func NewGuard(hosts, origins []string) Guard {
	var g Guard
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

// Check returns nil if the server may serve the request. Otherwise it returns the Refusal, for status 403.
func (g Guard) Check(r *http.Request) *Refusal {
	if !g.allowsHost(r.Host) {
		return &Refusal{
			Check:   "host",
			Code:    "ForbiddenException",
			Message: "This server does not serve that host. To allow it, start the server with -allow-host and its name.",
		}
	}
	// A client that is not a browser sends no Origin.
	for _, origin := range r.Header.Values("Origin") {
		if !g.allowsOrigin(origin) {
			return &Refusal{
				Check:   "origin",
				Code:    "ForbiddenException",
				Message: "This server does not serve pages of that origin. To allow it, start the server with -allow-origin and the origin.",
			}
		}
	}
	return nil
}

func (g Guard) allowsHost(hostport string) bool {
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

func (g Guard) allowsOrigin(origin string) bool {
	if slices.Contains(g.origins, strings.ToLower(origin)) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && g.allowsHost(u.Host)
}

// normalHost returns a host in lower case, without brackets and without a final dot.
func normalHost(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// AllowOrigin sets the CORS header with which the page that sent r can read the response. A Guard must
// have allowed r.
func AllowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}
