package sigv4

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// An Endpoint is where an MQTT server listens for WebSockets.
type Endpoint struct {
	Secure bool   // wss rather than ws
	Host   string // lower case, with the port unless it is the scheme's own
	Path   string // "/mqtt" unless the URL said otherwise; percent-encoded
	Query  string // as given, without "?"
	Region string // "" where neither the host nor the caller tells
}

// ParseEndpoint reads an endpoint as AWS prints it
// ("xxxx-ats.iot.eu-west-1.amazonaws.com"), with or without wss://, port and
// path. region, when not empty, wins over the one in the host name.
func ParseEndpoint(s, region string) (Endpoint, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return Endpoint{}, errors.New("endpoint is empty")
	}
	if !strings.Contains(text, "://") {
		text = "wss://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		// The parser's own words would quote the URL, signature and all.
		return Endpoint{}, errors.New("endpoint is not a host name or a wss:// URL")
	}
	e := Endpoint{Path: u.EscapedPath(), Query: u.RawQuery, Region: strings.ToLower(strings.TrimSpace(region))}
	switch strings.ToLower(u.Scheme) {
	case "wss", "https":
		e.Secure = true
	case "ws", "http":
	default:
		return Endpoint{}, fmt.Errorf("endpoint has the scheme %s://; it must be wss:// (or ws:// on your own machine)", u.Scheme)
	}
	if u.User != nil {
		return Endpoint{}, errors.New("endpoint holds a user name; browsers do not send it")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return Endpoint{}, errors.New("endpoint holds a fragment (#…); browsers refuse it in a WebSocket URL")
	}
	e.Host = strings.ToLower(u.Host)
	own := ":80"
	if e.Secure {
		own = ":443"
	}
	e.Host = strings.TrimSuffix(strings.TrimSuffix(e.Host, own), ":")
	if name := strings.ToLower(u.Hostname()); !plain(name) || strings.Contains(name, ":") != strings.HasPrefix(u.Host, "[") {
		return Endpoint{}, errors.New("endpoint is not a plain ASCII host name")
	}
	if e.Path == "" || e.Path == "/" {
		e.Path = "/mqtt"
	}
	if e.Region == "" {
		e.Region = regionOf(u.Hostname())
	}
	return e, nil
}

// IsAWS reports whether the host is one of AWS's own names.
func (e Endpoint) IsAWS() bool {
	host, _, _ := strings.Cut(e.Host, ":")
	return partition(host) != ""
}

// URL is the endpoint as a URL without a signature.
func (e Endpoint) URL() string {
	scheme := "ws://"
	if e.Secure {
		scheme = "wss://"
	}
	s := scheme + e.Host + e.Path
	if e.Query != "" {
		s += "?" + e.Query
	}
	return s
}

// The DNS suffixes of AWS's partitions: commercial and GovCloud, China, the
// isolated ones, and the European Sovereign Cloud.
var partitions = []string{
	".amazonaws.com", ".amazonaws.com.cn", ".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk",
	".csp.hci.ic.gov", ".amazonaws.eu",
}

func partition(host string) string {
	for _, p := range partitions {
		if strings.HasSuffix(host, p) {
			return p
		}
	}
	return ""
}

// regionOf finds the region in <prefix>.iot.<region>.<partition> and its kin
// (data.iot.…, iot-fips.…, iotdevicegateway.…), "" in any other host.
func regionOf(host string) string {
	host = strings.ToLower(host)
	p := partition(host)
	if p == "" {
		return ""
	}
	labels := strings.Split(strings.TrimSuffix(host, p), ".")
	for i := 0; i+1 < len(labels); i++ {
		if l := labels[i]; l == "iot" || strings.HasPrefix(l, "iot-") || l == "iotdevicegateway" {
			return labels[i+1]
		}
	}
	return ""
}

// plain reports whether a host name, or an address without its brackets, has
// none but the characters that browsers leave as they are.
func plain(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ':' {
			return false
		}
	}
	return name != ""
}
