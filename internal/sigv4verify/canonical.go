package sigv4verify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// canonicalRequest returns the canonical request of SigV4, which the signer hashes and signs. The
// canonical request contains all parameters of the query except the signature and the session token.
// AWS IoT does not sign the session token.
func canonicalRequest(r *http.Request, query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name == paramSignature || name == paramToken {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.SortFunc(pairs, byNameThenValue)
	return strings.Join([]string{
		r.Method,
		escape(r.URL.EscapedPath(), true),
		strings.Join(pairs, "&"),
		"host:" + strings.TrimSuffix(strings.ToLower(r.Host), ":443"),
		"",
		"host",
		emptyHash,
	}, "\n")
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
