package sigv4

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// An Endpoint is the address of an MQTT server that accepts WebSockets.
type Endpoint struct {
	Secure bool   // true: wss, false: ws
	Host   string // in lower case, with the port if it is not the default of the scheme
	Path   string // percent-encoded, begins with "/"
	Query  string // as in the URL, without "?"
	Region string // AWS region, such as eu-west-1; "": unknown
}

// ParseEndpoint parses the host name of an endpoint, as AWS shows it
// ("xxxx-ats.iot.eu-west-1.amazonaws.com"), or a URL with the scheme wss, ws, https
// or http. Port and path are optional. The default path is "/mqtt". If region is "",
// ParseEndpoint takes the region from the host name of an AWS endpoint. Errors
// contain no part of s except the scheme, because the query may contain secrets.
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
		// The parser's error would contain the URL with its signature.
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
		return Endpoint{}, errors.New("endpoint contains a user name; browsers do not send it")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return Endpoint{}, errors.New("endpoint contains a fragment (#…); browsers reject it in a WebSocket URL")
	}
	e.Host = strings.ToLower(u.Host)
	defaultPort := ":80"
	if e.Secure {
		defaultPort = ":443"
	}
	e.Host = strings.TrimSuffix(strings.TrimSuffix(e.Host, defaultPort), ":")
	if name := strings.ToLower(u.Hostname()); !isPlain(name) || strings.Contains(name, ":") != strings.HasPrefix(u.Host, "[") {
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

// IsAWS reports whether the host name ends in a DNS suffix of AWS.
func (e Endpoint) IsAWS() bool {
	host, _, _ := strings.Cut(e.Host, ":")
	return partition(host) != ""
}

// URL returns the URL of the endpoint. Presign adds the signature.
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

// partitions has the DNS suffixes of AWS's partitions: commercial and GovCloud,
// China, the isolated partitions, and the European Sovereign Cloud.
var partitions = []string{
	".amazonaws.com", ".amazonaws.com.cn", ".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk",
	".csp.hci.ic.gov", ".amazonaws.eu",
}

// partition returns the DNS suffix of the partition that host belongs to. It returns
// "" for hosts outside AWS.
func partition(host string) string {
	for _, p := range partitions {
		if strings.HasSuffix(host, p) {
			return p
		}
	}
	return ""
}

// regionOf returns the region in <prefix>.iot.<region>.<partition> and in the other
// forms (data.iot.…, iot-fips.…, iotdevicegateway.…). It returns "" for other hosts.
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

// isPlain reports whether name is not empty and contains only characters that
// browsers do not change. name is a host name or an IP address without brackets, in
// lower case.
func isPlain(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ':' {
			return false
		}
	}
	return name != ""
}
