package broker

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"
)

const (
	// maxMessageSize is the largest WebSocket message from a client, in bytes. A message may contain
	// many MQTT packets. Conn reads it as a stream, so maximumPacketSize bounds the memory.
	maxMessageSize = 16 << 20

	// CloseGrace is the maximum time in which a closing connection sends its queued packets and
	// completes the closing handshake.
	CloseGrace = time.Second
)

// errDisconnect is the result of a DISCONNECT from the client.
var errDisconnect = errors.New("the client has sent a DISCONNECT")

// Conn is the connection of one client. One goroutine reads packets (Serve), and one writes them
// (writeLoop).
type Conn struct {
	stream  net.Conn // the WebSocket as a stream of bytes
	socket  *Socket
	options ConnOptions
	broker  *Broker
	log     *slog.Logger
	ending  chan struct{} // closed when the connection begins to close
	closed  chan struct{} // closed when the WebSocket is closed

	// Only the goroutine of Serve uses the following fields.
	reader    *bufio.Reader
	packet    []byte                        // the memory of acknowledgements; see next
	version   byte                          // the protocol version in the CONNECT; 0 before the CONNECT
	aliases   [topicAliasMaximum + 1]string // the topic of each alias of the client; "" if it is not set
	keepAlive time.Duration                 // the maximum time between two packets of the client

	// The CONNECT sets the following fields, before the Conn is in a session.
	authorizer        Authorizer // nil allows everything
	loginError        string     // the error of ConnOptions.Login
	omitReasons       bool       // the client does not accept reason strings
	window            int        // the number of unacknowledged messages that the client accepts
	maximumPacketSize int        // of the client, in bytes
	info              ClientInfo

	// Broker.mu guards session. It is nil before the CONNECT and after the end of the connection.
	session *session

	mu            sync.Mutex
	changed       sync.Cond // signals a change of out or closing
	out           outQueue
	closing       bool
	timer         *time.Timer // the timeout of the CONNECT, then the keep-alive, then CloseGrace
	until         *time.Timer // closes the connection at ConnOptions.Until; may be nil
	canDisconnect bool        // the client uses MQTT 5 and has received a CONNACK that accepts it
	clientID      string      // "" before the CONNECT
	cause         string      // why the connection ends, as AWS's disconnectReason; "" if it is unknown
	rate          rate
	throughput    throughput
}

// NewConn returns the connection of a client over socket. The caller must call Serve once.
func (b *Broker) NewConn(socket *Socket, o ConnOptions) *Conn {
	c := &Conn{
		stream:  websocket.NetConn(context.Background(), socket.ws, websocket.MessageBinary),
		socket:  socket,
		options: o,
		broker:  b,
		log:     b.log,
		ending:  make(chan struct{}),
		closed:  make(chan struct{}),
	}
	socket.ws.SetReadLimit(maxMessageSize) // websocket.NetConn removes the limit
	c.reader = bufio.NewReader(c.stream)
	c.authorizer = o.Authorizer
	c.keepAlive = b.options.ConnectTimeout
	c.changed.L = &c.mu
	c.mu.Lock() // A short timeout can expire before the timer is assigned.
	c.timer = time.AfterFunc(c.keepAlive, func() { c.Disconnect(packets.ErrKeepAliveTimeout) })
	c.mu.Unlock()
	if !o.Until.IsZero() {
		c.closeAt(o.Until, "WEBSOCKET_TTL_EXPIRATION")
	}
	go c.writeLoop()
	return c
}

// closeAt closes the connection at a time, because of a cause. It replaces an earlier time.
func (c *Conn) closeAt(t time.Time, cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until != nil {
		c.until.Stop()
	}
	if !c.closing {
		c.until = time.AfterFunc(t.Sub(c.broker.options.Now()), func() { c.disconnect(packets.ErrAdministrativeAction, cause) })
	}
}

// Serve runs the MQTT protocol until the connection ends. A panic ends this connection only.
func (c *Conn) Serve() {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("the broker panicked: closing the connection", "panic", p)
			c.setCause("SERVER_ERROR")
		}
		c.Close()
		c.broker.detach(c)
		io.Copy(io.Discard, c.stream) // reads the client's close frame
		<-c.closed
	}()
	for {
		err := c.serveNext()
		if code, ok := err.(packets.Code); ok {
			c.log.Warn("protocol error: closing the connection", "client", c.ClientID(), "reason", code.Reason)
			c.Disconnect(code)
		}
		if err != nil {
			return
		}
	}
}

// serveNext reads and handles one packet. It returns an error of type packets.Code if the client broke
// the protocol, and another error if the connection has ended.
func (c *Conn) serveNext() error {
	pk, err := c.next()
	if err == io.EOF || websocket.CloseStatus(err) >= 0 {
		c.setCause(clientInitiated) // a close frame; NetConn returns io.EOF for the codes 1000 and 1001 only
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	if !c.closing && pk.FixedHeader.Type != packets.Connect {
		c.timer.Reset(c.keepAlive)
	}
	c.mu.Unlock()
	if err := c.handle(&pk); err != nil {
		return err
	}
	return c.waitForReplies()
}

// handle handles a packet that next has validated.
func (c *Conn) handle(pk *packets.Packet) error {
	if pk.FixedHeader.Type == packets.Connect {
		return c.connect(pk)
	}
	if c.options.Refresh != nil && !c.options.Refresh() {
		c.logRefusal("authorizer", "")
		c.disconnect(packets.ErrNotAuthorized, "CUSTOMAUTH_TTL_EXPIRATION")
		return net.ErrClosed
	}
	switch pk.FixedHeader.Type {
	case packets.Publish:
		return c.publish(pk)
	case packets.Puback, packets.Pubrec, packets.Pubcomp:
		c.acknowledge(pk)
	case packets.Pubrel:
		c.release(pk)
	case packets.Subscribe:
		return c.subscribe(pk)
	case packets.Unsubscribe:
		return c.unsubscribe(pk)
	case packets.Pingreq:
		c.reply([]byte{packets.Pingresp << 4, 0}, nil)
	case packets.Disconnect:
		return c.receiveDisconnect(pk)
	}
	return nil
}

// ClientID returns the client id, or "" before the CONNECT.
func (c *Conn) ClientID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clientID
}

// Disconnect closes the connection. If the client uses MQTT 5 and has received a CONNACK that accepts
// it, Disconnect first sends a DISCONNECT with the reason [MQTT-4.13.2].
func (c *Conn) Disconnect(reason packets.Code) { c.disconnect(reason, disconnectReason(reason)) }

// disconnect is like Disconnect. cause is AWS's disconnectReason.
func (c *Conn) disconnect(reason packets.Code, cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.canDisconnect && !c.closing {
		c.out.push(outgoing{bytes: []byte{packets.Disconnect << 4, 2, reason.Code, 0}})
	}
	if c.cause == "" {
		c.cause = cause
	}
	c.close()
}

// setCause sets AWS's disconnectReason if it is not known yet.
func (c *Conn) setCause(cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == "" {
		c.cause = cause
	}
}

// Close closes the connection. It returns at once. writeLoop then sends the queued packets and closes the
// WebSocket. After CloseGrace, a timer closes the TCP connection.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
}

// close implements Close. The caller holds c.mu.
func (c *Conn) close() {
	if c.closing {
		return
	}
	c.closing = true
	close(c.ending)
	c.timer.Stop()
	if c.until != nil {
		c.until.Stop()
	}
	// A closing handshake that the client does not answer ends only when the TCP connection closes.
	c.timer = time.AfterFunc(CloseGrace, func() { c.socket.tcp.Close() })
	c.changed.Broadcast()
}

// disconnectReason returns AWS's disconnectReason for a reason code that the server sends ("Lifecycle
// events").
func disconnectReason(reason packets.Code) string {
	switch reason.Code {
	case packets.ErrNotAuthorized.Code:
		return "AUTH_ERROR"
	case packets.ErrServerShuttingDown.Code, packets.ErrAdministrativeAction.Code:
		return "SERVER_INITIATED_DISCONNECT"
	case packets.ErrKeepAliveTimeout.Code:
		return "MQTT_KEEP_ALIVE_TIMEOUT"
	case packets.ErrSessionTakenOver.Code:
		return "DUPLICATE_CLIENTID"
	case packets.ErrQuotaExceeded.Code:
		return "THROTTLED"
	case packets.ErrUnspecifiedError.Code:
		return "SERVER_ERROR"
	}
	return "CLIENT_ERROR"
}

// logRefusal logs that a check refused a request of the client. topic may be "".
func (c *Conn) logRefusal(check, topic string) {
	args := []any{"client", c.ClientID(), "check", check}
	if topic != "" {
		args = append(args, "topic", topic)
	}
	c.log.Info("refused", append(args, c.explain(check)...)...)
}

// explain returns attributes that explain the refusal of a check for the log.
func (c *Conn) explain(check string) []any {
	if e, ok := c.authorizer.(Explainer); ok && check == "policy" {
		return []any{"because", e.Refusal()}
	}
	if check == "authorizer" && c.loginError != "" {
		return []any{"because", c.loginError}
	}
	return nil
}
