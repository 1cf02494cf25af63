// Package textproto replaces net/textproto in iot.wasm, because the real package imports net. The signer of the AWS SDK
// and the stand-in for net/http use one of its functions.
package textproto

import "strings"

// CanonicalMIMEHeaderKey returns the name of a header in the form Accept-Encoding. As in net/textproto, it does not
// change a name with a character that is not allowed in names.
func CanonicalMIMEHeaderKey(name string) string {
	b := []byte(name)
	upper := true
	for i, c := range b {
		switch {
		case 'a' <= c && c <= 'z':
			if upper {
				b[i] = c - 'a' + 'A'
			}
		case 'A' <= c && c <= 'Z':
			if !upper {
				b[i] = c - 'A' + 'a'
			}
		case '0' <= c && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return name
		}
		upper = c == '-'
	}
	return string(b)
}
