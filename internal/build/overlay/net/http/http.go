// Package http replaces net/http in iot.wasm. signer/v4 of the AWS SDK signs an http.Request, and its
// packages name a few other types. The program makes no HTTP request, because the browser does. The real
// package would be a third of the wasm.
//
// It contains a Request with what a signer reads, and Header. It has no server, no transport, no cookies and
// no forms. Client.Do returns an error.
package http

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
)

// MethodGet is the method of the request that is signed.
const MethodGet = "GET"

// Header is as in net/http.
type Header map[string][]string

// Add is as in net/http.
func (h Header) Add(key, value string) {
	key = textproto.CanonicalMIMEHeaderKey(key)
	h[key] = append(h[key], value)
}

// Set is as in net/http.
func (h Header) Set(key, value string) { h[textproto.CanonicalMIMEHeaderKey(key)] = []string{value} }

// Get is as in net/http.
func (h Header) Get(key string) string {
	if values := h[textproto.CanonicalMIMEHeaderKey(key)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values is as in net/http.
func (h Header) Values(key string) []string { return h[textproto.CanonicalMIMEHeaderKey(key)] }

// Del is as in net/http.
func (h Header) Del(key string) { delete(h, textproto.CanonicalMIMEHeaderKey(key)) }

// Clone is as in net/http.
func (h Header) Clone() Header {
	c := maps.Clone(h)
	for key, values := range c {
		c[key] = slices.Clone(values)
	}
	return c
}

// NoBody is as in net/http.
var NoBody = noBody{}

type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }

// A Request is as in net/http. It has the fields that the AWS SDK reads or writes.
type Request struct {
	Method           string
	URL              *url.URL
	Proto            string
	Header           Header
	Body             io.ReadCloser
	GetBody          func() (io.ReadCloser, error)
	ContentLength    int64
	TransferEncoding []string
	Host             string
	RequestURI       string
	RemoteAddr       string

	ctx context.Context
}

// Context is as in net/http.
func (r *Request) Context() context.Context {
	if r.ctx == nil {
		return context.Background()
	}
	return r.ctx
}

// WithContext is as in net/http.
func (r *Request) WithContext(ctx context.Context) *Request {
	c := *r
	c.ctx = ctx
	return &c
}

// Clone copies the request, its URL and its header. It is as in net/http for a request that is signed: that
// one has no trailer, no form and no user information in its URL.
func (r *Request) Clone(ctx context.Context) *Request {
	c := r.WithContext(ctx)
	if r.URL != nil {
		address := *r.URL
		c.URL = &address
	}
	c.Header = r.Header.Clone()
	c.TransferEncoding = slices.Clone(r.TransferEncoding)
	return c
}

// UserAgent is as in net/http.
func (r *Request) UserAgent() string { return r.Header.Get("User-Agent") }

// A Response is never made.
type Response struct {
	Status        string
	StatusCode    int
	Proto         string
	ProtoMajor    int
	ProtoMinor    int
	Header        Header
	Body          io.ReadCloser
	ContentLength int64
	Request       *Request
}

// A Client makes no request.
type Client struct{}

// Do returns an error.
func (*Client) Do(*Request) (*Response, error) {
	return nil, errors.New("net/http is not in iot.wasm: internal/build/overlay replaces it")
}
