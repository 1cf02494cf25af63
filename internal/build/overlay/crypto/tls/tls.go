// Package tls replaces crypto/tls in iot.wasm. Package net/http is not the only importer: the
// packets of paho.golang and nhooyr.io/websocket name types of crypto/tls, but the program never
// opens a TLS connection, because the browser does. The real package brings the elliptic curves
// and X.509 into the wasm.
//
// It contains only the names that those packages use. Every function returns an error.
package tls

import (
	"context"
	"errors"
	"net"
)

var errNotInWasm = errors.New("crypto/tls is not in iot.wasm: internal/build/overlay replaces it")

// A Certificate is never used.
type Certificate struct{}

// A ClientHelloInfo is never used.
type ClientHelloInfo struct{}

// A Config is never used.
type Config struct {
	NextProtos         []string
	ServerName         string
	InsecureSkipVerify bool
	Certificates       []Certificate
	GetCertificate     func(*ClientHelloInfo) (*Certificate, error)
	GetConfigForClient func(*ClientHelloInfo) (*Config, error)
}

// Clone returns c.
func (c *Config) Clone() *Config { return c }

// A ConnectionState is always zero.
type ConnectionState struct {
	NegotiatedProtocol         string
	NegotiatedProtocolIsMutual bool
	HandshakeComplete          bool
}

// A Conn cannot be made.
type Conn struct{ net.Conn }

// HandshakeContext returns an error.
func (c *Conn) HandshakeContext(context.Context) error { return errNotInWasm }

// Handshake returns an error.
func (c *Conn) Handshake() error { return errNotInWasm }

// ConnectionState returns the zero value.
func (c *Conn) ConnectionState() ConnectionState { return ConnectionState{} }
