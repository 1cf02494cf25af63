package client

import (
	"net/url"
	"strings"

	"iot.wasm/wasm/secret"
)

// Authorizer is a custom authorizer's part of the query. Browsers cannot set
// headers on a WebSocket, so that is the only place for it. Empty parts are left
// out.
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
