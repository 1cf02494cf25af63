package client

import "time"

const (
	// Bounds of the window, in bytes.
	leastWindow = 64 << 10
	firstWindow = 256 << 10
	mostWindow  = 4 << 20
	// inSocket is how long bytes should wait in the socket, as an acknowledgement or a
	// PINGREQ waits behind them.
	inSocket = 500 * time.Millisecond
	// measured is the time over which the network's speed is measured.
	measured = 100 * time.Millisecond
	// lookAgain is the time until a full socket is checked again.
	lookAgain = 10 * time.Millisecond
)

// window bounds the bytes that wait in the browser's socket. No packet can overtake
// them, so the bound follows the speed of the network.
type window struct {
	size     int
	buffered int           // that the socket has not sent
	moved    time.Duration // when bytes last left the socket, or it was empty
	since    time.Duration // when the measurement began
	drained  int           // bytes that have left the socket since then
	most     int           // the most bytes that waited since then
}

func newWindow(now time.Duration) window {
	return window{size: firstWindow, moved: now, since: now}
}

// gave notes that the socket has been given n bytes.
func (w *window) gave(n int) {
	w.buffered += n
	w.most = max(w.most, w.buffered)
}

// look takes the socket's bufferedAmount. It reports whether bytes have left the
// socket.
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
	case elapsed < measured:
		return n > 0
	default:
		w.size = min(max(int(float64(w.drained)*float64(inSocket)/float64(elapsed)), leastWindow), mostWindow)
	}
	w.since, w.drained, w.most = now, 0, buffered
	return n > 0
}

// room returns how many bytes the socket may be given now.
func (w *window) room() int {
	if w.buffered >= w.size {
		return 0
	}
	return max(w.size-w.buffered, leastWindow)
}
