package client

import "time"

const (
	// The least, first and largest size of a window, in bytes.
	leastWindow = 64 << 10
	firstWindow = 256 << 10
	mostWindow  = 4 << 20
	// socketDelay is the longest time for which bytes should wait in the socket. Later
	// packets, such as acknowledgements and PINGREQ, wait behind them.
	socketDelay = 500 * time.Millisecond
	// measureTime is the time over which the window measures the speed of the network.
	measureTime = 100 * time.Millisecond
	// lookAgain is the interval at which the client checks a full socket.
	lookAgain = 10 * time.Millisecond
)

// window limits the bytes that wait in the browser's socket. The client cannot send an
// urgent packet before them. Therefore the limit depends on the speed of the network.
type window struct {
	size     int           // the limit in bytes
	buffered int           // the bytes that wait in the socket
	moved    time.Duration // when the socket last sent bytes, or was empty
	since    time.Duration // when the measurement began
	drained  int           // the bytes that the socket has sent since then
	most     int           // the most bytes that waited in the socket since then
}

func newWindow(now time.Duration) window {
	return window{size: firstWindow, moved: now, since: now}
}

// gave records that the client has passed n bytes to the socket.
func (w *window) gave(n int) {
	w.buffered += n
	w.most = max(w.most, w.buffered)
}

// look updates the window with the socket's bufferedAmount. It reports whether the socket
// has sent bytes since the last call.
func (w *window) look(now time.Duration, buffered int) (left bool) {
	n := max(0, w.buffered-buffered)
	w.buffered = buffered
	w.drained += n
	if n > 0 || buffered == 0 {
		w.moved = now
	}
	switch elapsed := now - w.since; {
	case buffered == 0:
		if w.most > w.size/2 {
			w.size = min(2*w.size, mostWindow)
		}
	case elapsed < measureTime:
		return n > 0
	default:
		w.size = min(max(int(float64(w.drained)*float64(socketDelay)/float64(elapsed)), leastWindow), mostWindow)
	}
	w.since, w.drained, w.most = now, 0, buffered
	return n > 0
}

// room returns how many bytes the client may pass to the socket now: at least
// leastWindow, or 0 if the window is full.
func (w *window) room() int {
	if w.buffered >= w.size {
		return 0
	}
	return max(w.size-w.buffered, leastWindow)
}
