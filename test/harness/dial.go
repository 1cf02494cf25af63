package harness

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// SignedURL returns a URL of the broker that sigv4 has signed.
func (l *Settings) SignedURL() (secret.String, error) {
	e, err := sigv4.ParseEndpoint(l.Endpoint, l.Region)
	if err != nil {
		return "", err
	}
	key := sigv4.Credentials{AccessKeyID: l.Credentials.AccessKeyID, SecretAccessKey: secret.String(l.Credentials.SecretAccessKey)}
	return sigv4.Presign(e, key, time.Now(), 0)
}

// Dial opens a WebSocket to the broker of the server, at a signed URL. The connection is a stream of
// bytes, and it is not bound to a context. The error does not contain the URL.
func (l *Settings) Dial() (net.Conn, error) {
	url, err := l.SignedURL()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url.Reveal(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), url.Reveal(), "[URL]"))
	}
	ws.SetReadLimit(-1)
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil
}
