package client

import (
	"net/url"
	"strings"

	"iot.wasm/wasm/secret"
)

// Authorizer returns the part of the query for a custom authorizer, without the
// members that are empty. A browser cannot set headers on a WebSocket, so the query
// is the only place for them.
// https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth.html
func Authorizer(name, tokenKey, token, signature string) secret.String {
	var parts []string
	for _, p := range [][2]string{{"x-amz-customauthorizer-name", name}, {tokenKey, token}, {"x-amz-customauthorizer-signature", signature}} {
		if p[0] != "" && p[1] != "" {
			parts = append(parts, url.QueryEscape(p[0])+"="+strings.ReplaceAll(url.QueryEscape(p[1]), "+", "%20"))
		}
	}
	return secret.String(strings.Join(parts, "&"))
}
