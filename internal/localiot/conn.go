package localiot

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"nhooyr.io/websocket"
)

const (
	// batchSize is how much may wait to be written, in bytes, unless one packet is larger. What has
	// collected while a WebSocket message is being written makes the next message, as a browser's
	// cost is per message. It stays below the 32 KiB that Go clients read by default.
	batchSize = 16 << 10

	// writeTimeout ends a connection whose client has stopped reading.
	writeTimeout = 10 * time.Second

	// closeGrace is how long a connection that closes has to send what has been written, and the
	// client to take part in the closing handshake.
	closeGrace = time.Second
)

// conn is the net.Conn that the broker reads MQTT packets from and writes them to. It stands between
// the WebSocket and the broker because some things must be right before the broker sees them, or
// after it has written them; inspect.go and flow.go say which.
//
// Each Write is one whole packet, and each Read returns bytes of one packet only: the broker has
// dealt with a packet before the next is taken from the WebSocket.
type conn struct {
	net.Conn // the WebSocket as a stream of bytes, for reading and for its addresses
	ws       *websocket.Conn
	wire     *wire   // below the WebSocket, where there may be faults
	policy   *policy // of whoever signed the URL
	broker   *broker
	log      *slog.Logger
	cut      context.CancelFunc // ends the TCP connection
	ended    chan struct{}      // closed when the WebSocket is closed
	gone     chan struct{}      // closed when the broker has done with it, too

	// These belong to the goroutine that reads.
	in        *bufio.Reader
	packet    []byte // the packet that Read returns, and what is left of it
	unread    []byte
	version   byte // of the protocol, from the CONNECT
	emptyWill bool // the CONNECT has a will without a payload
	aliases   [topicAliasMaximum + 1]bool
	inSession bool  // holds broker.sessions
	excess    []int // the filters of a SUBSCRIBE that are beyond the quota

	replaced atomic.Bool // the same client has come back with a clean start

	mu      sync.Mutex
	changed sync.Cond // of out and closing
	out     []byte
	closing bool
	timer   *time.Timer // the wait for a CONNECT, then the keep-alive, then closeGrace
	told    bool        // the client knows MQTT 5 and has had its CONNACK: it can be sent a DISCONNECT
	flow    flow
	rate    rate
}

func newConn(ws *websocket.Conn, wire *wire, policy *policy, broker *broker) *conn {
	ctx, cut := context.WithCancel(context.Background())
	c := &conn{
		Conn:   websocket.NetConn(ctx, ws, websocket.MessageBinary),
		ws:     ws,
		wire:   wire,
		policy: policy,
		broker: broker,
		log:    broker.log,
		cut:    cut,
		ended:  make(chan struct{}),
		gone:   make(chan struct{}),
	}
	ws.SetReadLimit(maxMessageSize) // NetConn has lifted it
	c.in = bufio.NewReader(c.Conn)
	c.changed.L = &c.mu
	c.mu.Lock() // A short timeout can expire before the timer is assigned.
	c.timer = time.AfterFunc(broker.connectTimeout, func() { c.refuse(packets.ErrKeepAliveTimeout) })
	c.mu.Unlock()
	go c.writeLoop()
	return c
}

// Read implements net.Conn. Its error is a packets.Code when the client broke the protocol; the
// client has been told then.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		packet, err := c.next()
		if code, ok := err.(packets.Code); ok {
			c.log.Warn("closing the connection of a client that breaks the protocol", "reason", code.Reason)
			c.refuse(code)
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

// Write implements net.Conn. It takes one packet, and returns before the packet is on its way unless
// too much is waiting already.
func (c *conn) Write(packet []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(packet)
	switch packet[0] >> 4 {
	case packets.Connack:
		c.told = c.version == 5 && body(packet)[1] < packets.ErrUnspecifiedError.Code // [MQTT-3.14.0-1]
	case packets.Publish:
		if c.broker.rates && !c.rate.allow(c.broker.clock.now()) && packetID(packet) == nil {
			return n, nil
		}
		packet = c.flow.send(packet)
	case packets.Puback, packets.Suback, packets.Unsuback:
		packet = c.flow.answer(packet)
	}
	for len(c.out) > 0 && len(c.out)+len(packet) > batchSize && !c.closing {
		c.changed.Wait()
	}
	if c.closing {
		return 0, net.ErrClosed
	}
	c.queue(packet)
	return n, nil
}

// queue hands a packet to writeLoop, if there is one and the connection is open. c.mu is held.
func (c *conn) queue(packet []byte) {
	if len(packet) > 0 && !c.closing {
		c.out = append(c.out, packet...)
		c.changed.Broadcast()
	}
}

// accept takes what the client has asked for in its CONNECT.
func (c *conn) accept(cl *mqtt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flow = newFlow(cl)
}

// clientID is empty before the CONNECT.
func (c *conn) clientID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flow.client == nil {
		return ""
	}
	return c.flow.client.ID
}

// allowRate counts a PUBLISH from the client, and says whether it is within the rate quota.
func (c *conn) allowRate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broker.rates || c.rate.allow(c.broker.clock.now())
}

// refuse closes the connection for a reason, which a client that can be told is told [MQTT-4.13.2].
func (c *conn) refuse(reason packets.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		c.queue([]byte{packets.Disconnect << 4, 2, reason.Code, 0})
	}
	c.close()
}

// Close implements net.Conn. It returns at once; within closeGrace what has been written is sent and
// the WebSocket closed, or else the connection cut.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	return nil
}

func (c *conn) close() {
	if c.closing {
		return
	}
	c.closing = true
	c.timer.Stop()
	c.timer = time.AfterFunc(closeGrace, c.cut)
	c.changed.Broadcast()
}

// SetDeadline implements net.Conn. The broker moves the deadline with every packet that it reads.
func (c *conn) SetDeadline(t time.Time) error {
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

// writeLoop writes what is queued until the connection closes, and then closes the WebSocket.
func (c *conn) writeLoop() {
	defer close(c.ended)
	var batch []byte
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.closing {
			c.changed.Wait()
		}
		batch, c.out = c.out, batch[:0]
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
	// NetConn.Close would cut the connection before a client has read its last packets.
	c.ws.Close(websocket.StatusNormalClosure, "")
	c.Conn.Close()
}
