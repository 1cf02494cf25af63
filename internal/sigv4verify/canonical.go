package sigv4verify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// canonicalRequest returns the canonical request of SigV4, which the signer hashes and signs. The
// canonical request contains all parameters of the query that the caller passes, the headers in signed,
// and the hash of the body.
//
// The path of a request to AWS IoT is percent-encoded twice: the first time in the URL.
func canonicalRequest(r *http.Request, query url.Values, signed []string, payloadHash string) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.SortFunc(pairs, byNameThenValue)
	lines := []string{r.Method, escape(r.URL.EscapedPath(), true), strings.Join(pairs, "&")}
	for _, name := range signed {
		value, _ := headerValue(r, name)
		lines = append(lines, name+":"+value)
	}
	return strings.Join(append(lines, "", strings.Join(signed, ";"), payloadHash), "\n")
}

// headerValue returns the canonical value of a header, and whether the request has the header. name is
// in lower case. The server of net/http moves three headers to fields of the request.
func headerValue(r *http.Request, name string) (string, bool) {
	switch name {
	case "host":
		return strings.TrimSuffix(strings.ToLower(r.Host), ":443"), true
	case "transfer-encoding":
		return strings.Join(r.TransferEncoding, ","), len(r.TransferEncoding) > 0
	case "content-length":
		if values := r.Header.Values(name); len(values) > 0 {
			return values[0], true
		}
		return fmt.Sprint(r.ContentLength), r.ContentLength >= 0
	}
	values := r.Header.Values(name)
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(trimmed, ","), len(values) > 0
}

// byNameThenValue compares pairs of the form name=value, by name first. A comparison of the whole
// pairs would be wrong: "=" sorts after "-" and the digits, so that "a1=" would come before "a=".
func byNameThenValue(a, b string) int {
	aName, aValue, _ := strings.Cut(a, "=")
	bName, bValue, _ := strings.Cut(b, "=")
	if c := strings.Compare(aName, bName); c != 0 {
		return c
	}
	return strings.Compare(aValue, bValue)
}

// escape is the function UriEncode of SigV4: it encodes every byte except the unreserved characters of
// RFC 3986 as %XX in upper case. It keeps slashes if keepSlash is set.
func escape(s string, keepSlash bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
