// Package httptrace replaces net/http/httptrace in iot.wasm. The metrics of the AWS SDK name it. The program makes no
// HTTP request.
package httptrace

import (
	"context"
	"crypto/tls"
)

// A ClientTrace is never used.
type ClientTrace struct {
	GetConn              func(string)
	GotConn              func(GotConnInfo)
	PutIdleConn          func(error)
	GotFirstResponseByte func()
	DNSStart             func(DNSStartInfo)
	DNSDone              func(DNSDoneInfo)
	ConnectStart         func(network, address string)
	ConnectDone          func(network, address string, err error)
	TLSHandshakeStart    func()
	TLSHandshakeDone     func(tls.ConnectionState, error)
}

// A GotConnInfo is never used.
type GotConnInfo struct{}

// A DNSStartInfo is never used.
type DNSStartInfo struct{}

// A DNSDoneInfo is never used.
type DNSDoneInfo struct{}

// ContextClientTrace returns nil.
func ContextClientTrace(context.Context) *ClientTrace { return nil }

// WithClientTrace returns ctx.
func WithClientTrace(ctx context.Context, _ *ClientTrace) context.Context { return ctx }
