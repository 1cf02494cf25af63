package faults

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// Conn is a TCP connection that can be frozen and cut. A frozen connection transmits nothing in either
// direction. If one side closes it, the other side is notified only after Thaw.
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

// Read implements net.Conn. If the connection is frozen, Read returns after Thaw, or when the
// connection is closed.
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

// wait waits while the connection is frozen. It returns net.ErrClosed if the connection is closed.
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

// Close implements net.Conn. After Close, Read and Write return net.ErrClosed. If the connection is
// frozen, the TCP connection closes only after Thaw.
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

// freeze reports whether the connection is now frozen. A closed connection cannot be frozen.
func (c *Conn) freeze() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = c.frozen || !c.closed
	return c.frozen
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

// cut implements Pending.Cut.
func (c *Conn) cut() {
	under := c.Conn
	secure, isTLS := under.(*tls.Conn)
	if isTLS {
		under = secure.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	if isTLS {
		under.Close() // before tls.Conn.Close, which sends an alert
	}
	c.mu.Lock()
	c.frozen = false
	c.mu.Unlock()
	c.Close()
}
