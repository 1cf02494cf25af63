package faults

import (
	"net"
	"sync"
	"time"
)

// Conn is a TCP connection that can be frozen and cut. A frozen connection is half open: it carries
// no bytes in either direction, and not its own end.
type Conn struct {
	net.Conn

	mu             sync.Mutex
	changed        sync.Cond // signals a change of frozen or closed
	frozen, closed bool
}

// NewConn returns a Conn on top of c.
func NewConn(c net.Conn) *Conn {
	f := &Conn{Conn: c}
	f.changed.L = &f.mu
	return f
}

// Read implements net.Conn. It retains bytes that arrive while the connection is frozen until the
// connection thaws.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if closed := c.wait(); closed != nil {
		return 0, closed
	}
	return n, err
}

// Write implements net.Conn. It waits while the connection is frozen.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// wait returns nil once the connection is not frozen, and net.ErrClosed once it is closed.
func (c *Conn) wait() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.frozen && !c.closed {
		c.changed.Wait()
	}
	if c.closed {
		return net.ErrClosed
	}
	return nil
}

// Close implements net.Conn. It closes a frozen connection for the server only; the client sees the
// end when the connection thaws.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	if c.frozen {
		return c.SetDeadline(time.Unix(1, 0)) // makes a Read in progress return
	}
	return c.Conn.Close()
}

func (c *Conn) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
}

func (c *Conn) thaw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = false
	c.changed.Broadcast()
	if c.closed {
		c.Conn.Close()
	}
}

// Cut resets the TCP connection, without a closing handshake of TCP or of the WebSocket.
func (c *Conn) Cut() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.mu.Lock()
	c.frozen = false
	c.mu.Unlock()
	c.Close()
}
