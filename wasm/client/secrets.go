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

// mask replaces each byte of a secret in b by "*". It finds the secrets that redact finds,
// except those shorter than shortSecret.
func (s secrets) mask(b []byte) {
	text := string(b)
	for i := range len(text) {
		for _, secret := range s {
			switch text[i] {
			case secret[0], '%', '+', '\\': // the first byte of an escape
				if len(secret) >= shortSecret {
					hide(b, i, i+escapedPrefix(text[i:], secret))
				}
			}
		}
	}
}

// hide replaces b[from:to] by "*". b may end before to.
func hide(b []byte, from, to int) {
	for ; from < min(to, len(b)); from++ {
		b[from] = '*'
	}
}

// escapedPrefix returns the length of the secret at the start of text, with the escapes
// that redact finds. It returns 0 if text does not begin with the secret.
func escapedPrefix(text, secret string) int {
	at := 0
	for i := range len(secret) {
		b, rest := secret[i], text[at:]
		if rest == "" {
			return 0
		}
		n := escapeLength(rest, b)
		switch plain := rest[0] == b; {
		case n > 0 && plain: // b is also the first character of its escape
			if i == len(secret)-1 {
				return at + n
			}
			if more := escapedPrefix(rest[n:], secret[i+1:]); more > 0 {
				return at + n + more
			}
			at++
		case n > 0:
			at += n
		case plain:
			at++
		default:
			return 0
		}
	}
	return at
}

// escapeLength returns the length of the escape of b at the start of text, which is not
// empty. It returns 0 if text does not begin with one.
func escapeLength(text string, b byte) int {
	switch {
	case text[0] == '+' && b == ' ':
		return 1
	case len(text) < 2:
	case text[0] == '%':
		return hexLength(text, 1, 3, b)
	case text[0] != '\\':
	case text[1] == 'u':
		return hexLength(text, 2, 6, b)
	case text[1] == b, text[1] == 't' && b == '\t', text[1] == 'n' && b == '\n', text[1] == 'r' && b == '\r':
		return 2
	}
	return 0
}

// hexLength returns end if text[start:end] is b as a hexadecimal number, else 0.
func hexLength(text string, start, end int, b byte) int {
	if len(text) < end {
		return 0
	}
	value := 0
	for _, c := range []byte(text[start:end]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20) // |0x20: lower case
		if digit < 0 {
			return 0
		}
		value = value<<4 | digit
	}
	if value != int(b) {
		return 0
	}
	return end
}
