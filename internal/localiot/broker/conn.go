package broker

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"iot.wasm/internal/localiot/iam"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"
)

const (
	// maxMessageSize is the largest WebSocket message from a client, in bytes. A message may contain
	// many MQTT packets. Conn reads it as a stream, so maximumPacketSize bounds the memory.
	maxMessageSize = 16 << 20

	// batchSize is the length of the queue, in bytes, above which Write waits. A larger packet is
	// queued alone. writeLoop sends the whole queue as one WebSocket message, because a browser's cost
	// is per message. Go clients read messages of up to 32 KiB by default.
	batchSize = 16 << 10

	// writeTimeout is the maximum time for writing one WebSocket message.
	writeTimeout = 10 * time.Second

	// CloseGrace is the maximum time in which a closing connection sends its queued packets and
	// completes the closing handshake.
	CloseGrace = time.Second
)

// Conn is the connection of one client. It implements net.Conn for mochi-mqtt on top of a WebSocket. It
// validates packets before mochi-mqtt reads them (validate.go), and corrects the flow control of
// mochi-mqtt (flowcontrol.go).
//
// The argument of Write must be one whole packet. Read returns bytes of one packet only, so mochi-mqtt
// has processed a packet before Conn reads the next packet from the WebSocket.
type Conn struct {
	net.Conn // the WebSocket as a stream of bytes
	socket   *Socket
	policy   *iam.Policy
	broker   *Broker
	log      *slog.Logger
	closed   chan struct{} // closed when the WebSocket is closed

	// Only the goroutine of Serve uses the following fields.
	reader        *bufio.Reader
	packet        []byte                      // the packet that Read returns
	unread        []byte                      // the rest of packet
	version       byte                        // the protocol version in the CONNECT; 0 before the CONNECT
	emptyWill     bool                        // the CONNECT has a will without a payload
	aliases       [topicAliasMaximum + 1]bool // whether the client has set each topic alias
	holdsSessions bool                        // whether this goroutine holds broker.sessions
	overQuota     []int                       // indices in the last SUBSCRIBE of the filters above maxSubscriptions

	// replacedByCleanStart is set when another connection with the same client id begins with a
	// clean start.
	replacedByCleanStart atomic.Bool

	mu            sync.Mutex
	changed       sync.Cond // signals a change of queue or closing
	queue         []byte    // packets for writeLoop
	closing       bool
	timer         *time.Timer // the timeout of the CONNECT, then the keep-alive, then CloseGrace
	canDisconnect bool        // the client uses MQTT 5 and has received a CONNACK that accepts it
	flow          flowControl
	rate          rate
}

// NewConn returns the connection of a client over socket. policy limits the topics that the client may
// use; nil allows all. The caller must call Serve once.
func (b *Broker) NewConn(socket *Socket, policy *iam.Policy) *Conn {
	c := &Conn{
		Conn:   websocket.NetConn(context.Background(), socket.ws, websocket.MessageBinary),
		socket: socket,
		policy: policy,
		broker: b,
		log:    b.log,
		closed: make(chan struct{}),
	}
	socket.ws.SetReadLimit(maxMessageSize) // websocket.NetConn removes the limit
	c.reader = bufio.NewReader(c.Conn)
	c.changed.L = &c.mu
	c.mu.Lock() // A short timeout can expire before the timer is assigned.
	c.timer = time.AfterFunc(b.options.ConnectTimeout, func() { c.Disconnect(packets.ErrKeepAliveTimeout) })
	c.mu.Unlock()
	go c.writeLoop()
	return c
}

// Serve runs the MQTT protocol until the connection ends. A panic of mochi-mqtt ends this connection
// only.
func (c *Conn) Serve() {
	b := c.broker
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("the broker panicked: closing the connection", "panic", p)
		}
		if c.holdsSessions {
			b.sessions.Unlock()
		}
		c.Close()
		io.Copy(io.Discard, c.Conn) // reads the client's close frame
		<-c.closed
	}()
	if err := b.server.EstablishConnection(listenerID, c); err != nil {
		b.log.Debug("connection ended", "error", err)
	}
}

// Read implements net.Conn. It returns an error of type packets.Code if the client broke the protocol.
// Before it returns such an error, it calls Disconnect.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		packet, err := c.next()
		if code, ok := err.(packets.Code); ok {
			c.log.Warn("protocol error: closing the connection", "reason", code.Reason)
			c.Disconnect(code)
		}
		if err != nil {
			return 0, err
		}
		c.unread = packet
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// Write implements net.Conn. It queues one packet, and waits while the queue is full.
func (c *Conn) Write(packet []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(packet)
	switch packet[0] >> 4 {
	case packets.Connack:
		c.canDisconnect = c.version == 5 && body(packet)[1] < packets.ErrUnspecifiedError.Code // [MQTT-3.14.0-1]
	case packets.Publish:
		// mochi-mqtt waits for the acknowledgement of a QoS 1 message, so only QoS 0 messages are dropped.
		if c.broker.options.RateQuotas && !c.rate.allow(c.broker.options.Now()) && packetID(packet) == nil {
			return n, nil
		}
		packet = c.flow.send(packet)
	case packets.Puback, packets.Suback, packets.Unsuback:
		packet = c.flow.restoreID(packet)
	}
	for len(c.queue) > 0 && len(c.queue)+len(packet) > batchSize && !c.closing {
		c.changed.Wait()
	}
	if c.closing {
		return 0, net.ErrClosed
	}
	c.enqueue(packet)
	return n, nil
}

// enqueue queues a packet for writeLoop. It does nothing if the packet is nil or the connection is
// closing. The caller holds c.mu.
func (c *Conn) enqueue(packet []byte) {
	if len(packet) > 0 && !c.closing {
		c.queue = append(c.queue, packet...)
		c.changed.Broadcast()
	}
}

// setClient stores the client, and the limits that its CONNECT contains.
func (c *Conn) setClient(cl *mqtt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flow = newFlowControl(cl)
}

// ClientID returns the client id, or "" before the CONNECT.
func (c *Conn) ClientID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.client == nil {
		return ""
	}
	return c.flow.client.ID
}

// withinRate counts a PUBLISH from the client, and reports whether it is within the rate quota.
func (c *Conn) withinRate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broker.options.RateQuotas || c.rate.allow(c.broker.options.Now())
}

// Disconnect closes the connection. If the client uses MQTT 5 and has received a CONNACK that accepts
// it, Disconnect first sends a DISCONNECT with the reason [MQTT-4.13.2].
func (c *Conn) Disconnect(reason packets.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.canDisconnect {
		c.enqueue([]byte{packets.Disconnect << 4, 2, reason.Code, 0})
	}
	c.close()
}

// Close implements net.Conn. It returns at once. writeLoop then sends the queued packets and closes the
// WebSocket. After CloseGrace, a timer closes the TCP connection.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	return nil
}

// close implements Close. The caller holds c.mu.
func (c *Conn) close() {
	if c.closing {
		return
	}
	c.closing = true
	c.timer.Stop()
	// A closing handshake that the client does not answer ends only when the TCP connection closes.
	c.timer = time.AfterFunc(CloseGrace, func() { c.socket.tcp.Close() })
	c.changed.Broadcast()
}

// SetDeadline implements net.Conn. mochi-mqtt calls it for each packet that it reads, to set the
// timeout of the keep-alive.
func (c *Conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
	case t.IsZero():
		c.timer.Stop()
	default:
		c.timer.Reset(time.Until(t))
	}
	return nil
}

// writeLoop writes queued packets until the connection closes, and then closes the WebSocket.
func (c *Conn) writeLoop() {
	defer close(c.closed)
	var batch []byte
	for {
		c.mu.Lock()
		for len(c.queue) == 0 && !c.closing {
			c.changed.Wait()
		}
		batch, c.queue = c.queue, batch[:0]
		c.changed.Broadcast()
		c.mu.Unlock()
		if len(batch) == 0 {
			break
		}
		c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := c.Conn.Write(batch); err != nil {
			c.Close()
			break
		}
	}
	// NetConn.Close alone would end the connection before the client has read its last packets.
	c.socket.ws.Close(websocket.StatusNormalClosure, "")
	c.Conn.Close()
}
