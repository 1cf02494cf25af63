// Package tls replaces crypto/tls in iot.wasm. The metrics of the AWS SDK name one of its types. The program opens no TLS
// connection, because the browser does. The real package brings the elliptic curves and X.509 into the wasm.
package tls

// A ConnectionState is never made.
type ConnectionState struct{}
