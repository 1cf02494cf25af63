package broker

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"

	"nhooyr.io/websocket"
)

// Socket is an open WebSocket for MQTT.
type Socket struct {
	ws  *websocket.Conn
	tcp net.Conn // the connection below ws
}

// Accept completes the WebSocket handshake of r. The caller must have checked the Origin of r, and that
// the client offers the subprotocol: mqtt or mqttv3.1. wrap replaces the TCP connection of the WebSocket;
// it may be nil. If Accept fails, it has sent a response.
func Accept(w http.ResponseWriter, r *http.Request, subprotocol string, wrap func(net.Conn) net.Conn) (*Socket, error) {
	h := &hijacker{ResponseWriter: w, wrap: wrap}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	return &Socket{ws: ws, tcp: h.conn}, nil
}

// hijacker is a ResponseWriter whose method Hijack stores the TCP connection.
type hijacker struct {
	http.ResponseWriter
	wrap func(net.Conn) net.Conn
	conn net.Conn // nil until the connection is hijacked
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if h.wrap != nil {
		c = h.wrap(c)
	}
	h.conn = &frameConn{Conn: c}
	rw.Writer.Reset(h.conn)
	return h.conn, rw, nil
}

// A frameConn is the TCP connection of a WebSocket. It discards everything that the server writes after its close frame
// [RFC 6455, 5.5.1]. After its own close frame, websocket.Conn still answers pings, and the close frame of the client. Chromium
// then logs the error "Close received after close" on the console of the page.
type frameConn struct {
	net.Conn

	// Only Write uses the following fields. websocket.Conn calls it from one goroutine at a time.
	header  []byte // the first bytes of the header of the current frame
	payload uint64 // the number of outstanding bytes of the payload of the current frame
	closed  bool   // the close frame has begun
}

// Write implements io.Writer.
func (c *frameConn) Write(p []byte) (int, error) {
	end := c.scan(p)
	if end == 0 {
		return len(p), nil
	}
	if n, err := c.Conn.Write(p[:end]); err != nil {
		return n, err
	}
	return len(p), nil
}

// scan parses the next bytes of the server's frames. It returns the number of bytes up to the end of the close frame.
func (c *frameConn) scan(p []byte) (end int) {
	for end < len(p) {
		if c.payload > 0 {
			n := min(c.payload, uint64(len(p)-end))
			c.payload -= n
			end += int(n)
			continue
		}
		if c.closed {
			break
		}
		c.header = append(c.header, p[end])
		end++
		if n, ok := payloadLength(c.header); ok {
			c.closed = c.header[0]&0x0f == 8
			c.header, c.payload = c.header[:0], n
		}
	}
	return end
}

// payloadLength returns the length of the payload of a server's frame. It returns false if the header is not complete
// [RFC 6455, 5.2].
func payloadLength(header []byte) (n uint64, ok bool) {
	if len(header) < 2 {
		return 0, false
	}
	extended := header[2:]
	switch header[1] {
	case 126:
		if len(extended) < 2 {
			return 0, false
		}
		return uint64(binary.BigEndian.Uint16(extended)), true
	case 127:
		if len(extended) < 8 {
			return 0, false
		}
		return binary.BigEndian.Uint64(extended), true
	}
	return uint64(header[1]), true
}
