package client

import (
	"net/url"
	"strings"

	"iot.wasm/wasm/secret"
)

// shortSecret is the length, in bytes, below which a secret may be part of an
// ordinary word. A text that contains one is withheld as a whole.
const shortSecret = 4

// secrets are values that must not appear in errors and events. Servers and browsers
// quote their input, so the client searches their texts for secrets.
type secrets []string

// add adds secret values.
func (s *secrets) add(values ...string) {
	for _, v := range values {
		if v != "" {
			*s = append(*s, v)
		}
	}
}

// addURL adds a URL and the secret values of its query.
func (s *secrets) addURL(u secret.String) {
	_, query, _ := strings.Cut(u.Reveal(), "?")
	s.add(u.Reveal())
	s.addQuery(query)
}

// addQuery adds the values of a query, except those that describe the signature: the
// service repeats them to explain a refusal.
func (s *secrets) addQuery(query string) {
	for _, part := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "x-amz-customauthorizer-name":
			continue
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		s.add(value)
	}
}

// redact returns a text of a server or browser without the secrets, in any mix of the
// escapes of URLs and JSON.
func (s secrets) redact(words string) string {
	const gone = "[redacted]"
	var b strings.Builder
	for i := 0; i < len(words); {
		longest := 0
		for _, secret := range s {
			n := escapedPrefix(words[i:], secret)
			if n > 0 && len(secret) < shortSecret {
				return gone
			}
			longest = max(longest, n)
		}
		if longest == 0 {
			b.WriteByte(words[i])
			i++
			continue
		}
		b.WriteString(gone)
		i += longest
	}
	return b.String()
}

const hexDigits = "0123456789abcdef"

// escapedPrefix returns how many bytes at the front of text are the secret, with each
// character plain or escaped as in URLs and JSON. 0: the text begins otherwise.
func escapedPrefix(text, secret string) int {
	i := 0
	for _, b := range []byte(secret) {
		rest := text[i:]
		switch {
		case rest == "":
			return 0
		case rest[0] == b, rest[0] == '+' && b == ' ':
			i++
		case rest[0] == '\\' && len(rest) > 1 && rest[1] == b:
			i += 2
		case rest[0] == '%' && len(rest) > 2:
			if rest[1]|0x20 != hexDigits[b>>4]|0x20 || rest[2]|0x20 != hexDigits[b&15]|0x20 { // in either case
				return 0
			}
			i += 3
		default:
			return 0
		}
	}
	return i
}
