package client

import (
	"net/url"
	"strings"

	"iot.wasm/wasm/secret"
)

// Authorizer returns the part of the query that selects a custom authorizer of AWS IoT
// Core: the authorizer's name, the token with the key tokenKey, and the signature of the
// token. It omits empty values. The values are in the query, because a browser cannot
// set headers of a WebSocket.
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
