package broker

import (
	"bufio"
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
	h.conn = c
	if h.wrap != nil {
		h.conn = h.wrap(c)
		rw.Writer.Reset(h.conn)
	}
	return h.conn, rw, nil
}
