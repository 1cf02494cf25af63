package localiot

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

// wire is the TCP connection below a WebSocket, which can be frozen and cut. A frozen one is half
// open: nothing goes in or out, not even its end.
type wire struct {
	net.Conn

	mu             sync.Mutex
	changed        sync.Cond // of frozen and closed
	frozen, closed bool
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c}
	w.changed.L = &w.mu
	return w
}

// Read implements net.Conn. What arrives at a frozen connection waits.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.wait(); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	if closed := w.wait(); closed != nil {
		return 0, closed
	}
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	if err := w.wait(); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// wait returns when the connection is not frozen, or is closed.
func (w *wire) wait() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.frozen && !w.closed {
		w.changed.Wait()
	}
	if w.closed {
		return net.ErrClosed
	}
	return nil
}

// Close implements net.Conn. The other side does not hear of it before a frozen connection thaws.
func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
	if w.frozen {
		return w.SetDeadline(time.Unix(1, 0)) // ends a Read that is under way
	}
	return w.Conn.Close()
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

func (w *wire) thaw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = false
	w.changed.Broadcast()
	if w.closed {
		w.Conn.Close()
	}
}

// cut resets the connection: no goodbye of TCP's, let alone of the WebSocket's.
func (w *wire) cut() {
	if tcp, ok := w.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	w.mu.Lock()
	w.frozen = false
	w.mu.Unlock()
	w.Close()
}

// hijacker is a ResponseWriter whose connection becomes a wire once it is taken over.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire = newWire(c)
	return h.wire, bufio.NewReadWriter(rw.Reader, bufio.NewWriter(h.wire)), nil
}
