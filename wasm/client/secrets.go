package client

import (
	"net/url"
	"strings"

	"iot.wasm/wasm/secret"
)

// shortSecret is a length in bytes. A shorter secret may be part of an ordinary word. If
// a text contains a shorter secret, redact replaces the whole text.
const shortSecret = 4

// secrets contains values that errors and events must not contain. The texts of servers
// and browsers may repeat such a value.
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

// addQuery adds the values of a query, except public ones that describe the signature.
// The service repeats those to explain a refusal.
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

// redact replaces the secrets in a text of a server or a browser. It finds a secret whose
// characters are plain, percent-encoded, "+" for a space, or escaped by a backslash. It
// does not find other escapes, such as \u0041, or a percent sign that is percent-encoded.
func (s secrets) redact(text string) string {
	const redacted = "[redacted]"
	var b strings.Builder
	for i := 0; i < len(text); {
		longest := 0
		for _, secret := range s {
			n := escapedPrefix(text[i:], secret)
			if n > 0 && len(secret) < shortSecret {
				return redacted
			}
			longest = max(longest, n)
		}
		if longest == 0 {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(redacted)
		i += longest
	}
	return b.String()
}

const hexDigits = "0123456789abcdef"

// escapedPrefix returns the length of the secret at the start of text, with the escapes
// that redact finds. It returns 0 if text does not begin with the secret.
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
			if rest[1]|0x20 != hexDigits[b>>4]|0x20 || rest[2]|0x20 != hexDigits[b&15]|0x20 { // |0x20: lower and upper case
				return 0
			}
			i += 3
		default:
			return 0
		}
	}
	return i
}
