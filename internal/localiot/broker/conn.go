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
	// maxMessageSize bounds one WebSocket message from a client, in bytes. A message may hold many MQTT
	// packets and is read as a stream, so the bound is generous; packets have their own.
	maxMessageSize = 16 << 20

	// batchSize is how much may wait to be written, in bytes, unless one packet is larger. What has
	// collected while a WebSocket message is being written makes the next message, as a browser's
	// cost is per message. It stays below the 32 KiB that Go clients read by default.
	batchSize = 16 << 10

	// writeTimeout ends a connection whose client has stopped reading.
	writeTimeout = 10 * time.Second

	// CloseGrace is how long a connection that closes has to send what has been written, and the
	// client to take part in the closing handshake.
	CloseGrace = time.Second
)

// Conn is the net.Conn that the broker reads MQTT packets from and writes them to. It stands between
// the WebSocket and the broker because some things must be right before the broker sees them, or
// after it has written them; validate.go and flowcontrol.go say which.
//
// Each Write is one whole packet, and each Read returns bytes of one packet only: the broker has
// dealt with a packet before the next is taken from the WebSocket.
type Conn struct {
	net.Conn // the WebSocket as a stream of bytes, for reading and for its addresses
	ws       *websocket.Conn
	policy   *iam.Policy // of whoever signed the URL
	broker   *Broker
	log      *slog.Logger
	cut      context.CancelFunc // ends the TCP connection
	ended    chan struct{}      // closed when the WebSocket is closed

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
	timer   *time.Timer // the wait for a CONNECT, then the keep-alive, then CloseGrace
	told    bool        // the client knows MQTT 5 and has had its CONNACK: it can be sent a DISCONNECT
	flow    flow
	rate    rate
}

// NewConn returns a connection of a client over ws, whose topics policy limits. Serve must be called.
func (b *Broker) NewConn(ws *websocket.Conn, policy *iam.Policy) *Conn {
	ctx, cut := context.WithCancel(context.Background())
	c := &Conn{
		Conn:   websocket.NetConn(ctx, ws, websocket.MessageBinary),
		ws:     ws,
		policy: policy,
		broker: b,
		log:    b.log,
		cut:    cut,
		ended:  make(chan struct{}),
	}
	ws.SetReadLimit(maxMessageSize) // NetConn has lifted it
	c.in = bufio.NewReader(c.Conn)
	c.changed.L = &c.mu
	c.mu.Lock() // A short timeout can expire before the timer is assigned.
	c.timer = time.AfterFunc(b.options.ConnectTimeout, func() { c.Disconnect(packets.ErrKeepAliveTimeout) })
	c.mu.Unlock()
	go c.writeLoop()
	return c
}

// Serve lets the broker speak to the client until the connection ends. Should the broker panic, the
// connection is closed and nobody else hears of it.
func (c *Conn) Serve() {
	b := c.broker
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("closing a connection: the broker panicked", "panic", p)
		}
		if c.inSession {
			b.sessions.Unlock()
		}
		c.Close()
		io.Copy(io.Discard, c.Conn) // the client's half of the closing handshake is read
		<-c.ended
	}()
	if err := b.server.EstablishConnection(listenerID, c); err != nil {
		b.log.Debug("connection ended", "error", err)
	}
}

// Read implements net.Conn. Its error is a packets.Code when the client broke the protocol; the
// client has been told then.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		packet, err := c.next()
		if code, ok := err.(packets.Code); ok {
			c.log.Warn("closing the connection of a client that breaks the protocol", "reason", code.Reason)
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

// Write implements net.Conn. It takes one packet, and returns before the packet is on its way unless
// too much is waiting already.
func (c *Conn) Write(packet []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(packet)
	switch packet[0] >> 4 {
	case packets.Connack:
		c.told = c.version == 5 && body(packet)[1] < packets.ErrUnspecifiedError.Code // [MQTT-3.14.0-1]
	case packets.Publish:
		if c.broker.options.RateQuotas && !c.rate.allow(c.broker.options.Now()) && packetID(packet) == nil {
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
func (c *Conn) queue(packet []byte) {
	if len(packet) > 0 && !c.closing {
		c.out = append(c.out, packet...)
		c.changed.Broadcast()
	}
}

// accept takes what the client has asked for in its CONNECT.
func (c *Conn) accept(cl *mqtt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flow = newFlow(cl)
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

// allowRate counts a PUBLISH from the client, and says whether it is within the rate quota.
func (c *Conn) allowRate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.broker.options.RateQuotas || c.rate.allow(c.broker.options.Now())
}

// Disconnect closes the connection. It sends the reason in a DISCONNECT first, if the client uses
// MQTT 5 and has received a CONNACK [MQTT-4.13.2].
func (c *Conn) Disconnect(reason packets.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		c.queue([]byte{packets.Disconnect << 4, 2, reason.Code, 0})
	}
	c.close()
}

// Close implements net.Conn. It returns at once; within CloseGrace what has been written is sent and
// the WebSocket closed, or else the connection cut.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	return nil
}

func (c *Conn) close() {
	if c.closing {
		return
	}
	c.closing = true
	c.timer.Stop()
	c.timer = time.AfterFunc(CloseGrace, c.cut)
	c.changed.Broadcast()
}

// SetDeadline implements net.Conn. The broker moves the deadline with every packet that it reads.
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

// writeLoop writes what is queued until the connection closes, and then closes the WebSocket.
func (c *Conn) writeLoop() {
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
