package chaos

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// direction is the way that bytes go.
type direction int

const (
	up   direction = iota // from the page to the broker
	down                  // from the broker to the page
)

// proxy stands between the page and the broker. The faults of a schedule act on it.
type proxy struct {
	listener net.Listener
	broker   string
	seed     uint64
	log      *journal
	tap      func() *tap

	mu      sync.Mutex
	links   []*link // in the order of their beginning; those that have ended are removed
	count   int
	weather weather
	over    bool
}

// weather is how the network treats all links. Its zero value is a good network.
type weather struct {
	refuse bool          // reset new connections
	delay  time.Duration // keep each piece for so long
	slice  int           // pass on pieces of 1 to so many bytes
	rate   int           // bytes per second
}

func newProxy(broker string, seed uint64, log *journal, tap func() *tap) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, broker: broker, seed: seed, log: log, tap: tap}
	go p.accept()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.begin(c.(*net.TCPConn))
	}
}

func (p *proxy) begin(page *net.TCPConn) {
	p.mu.Lock()
	refuse := p.weather.refuse || p.over
	p.mu.Unlock()
	if refuse {
		reset(page)
		return
	}
	c, err := net.Dial("tcp", p.broker)
	if err != nil {
		reset(page)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	l := &link{proxy: p, number: p.count, done: make(chan struct{})}
	l.side = [2]*net.TCPConn{up: c.(*net.TCPConn), down: page}
	tap := p.tap()
	for d := range l.half {
		l.half[d] = &half{
			link: l, direction: direction(d), fuse: -1, queue: make(chan piece, 256),
			random: rand.New(rand.NewPCG(p.seed, uint64(2*l.number+d))),
		}
	}
	p.links = append(p.links, l)
	p.log.note("link %d begins", l.number)
	go l.half[up].read(page, tap.fromPage)
	go l.half[down].read(l.side[up], tap.fromBroker)
	go l.half[up].write()
	go l.half[down].write()
}

// newest is the link that the page most likely uses, or nil.
func (p *proxy) newest() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.links) == 0 {
		return nil
	}
	return p.links[len(p.links)-1]
}

// set changes the weather.
func (p *proxy) set(change func(*weather)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.weather)
}

// resetAll ends all links.
func (p *proxy) resetAll() {
	p.mu.Lock()
	list := append([]*link(nil), p.links...)
	p.mu.Unlock()
	for _, l := range list {
		l.reset()
	}
}

// heal makes a good network of it. What is stuck is reset, so that the page need
// not find that out by its keep-alive.
func (p *proxy) heal() {
	p.mu.Lock()
	p.weather = weather{}
	list := append([]*link(nil), p.links...)
	p.mu.Unlock()
	for _, l := range list {
		l.mu.Lock()
		stuck := l.broken || time.Now().Before(l.half[up].stalled) || time.Now().Before(l.half[down].stalled)
		l.mu.Unlock()
		if stuck {
			l.reset()
		}
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.resetAll()
}

// link is one TCP connection of the page, and the one to the broker that belongs
// to it.
type link struct {
	proxy  *proxy
	number int
	side   [2]*net.TCPConn // by the direction whose bytes are written to it
	half   [2]*half
	done   chan struct{}

	mu     sync.Mutex
	broken bool // one side was closed by a fault
	ended  bool
}

// half carries the bytes of one direction.
type half struct {
	link      *link
	direction direction
	queue     chan piece
	random    *rand.Rand // of write alone

	// Guarded by link.mu.
	stalled time.Time // nothing passes until then
	fuse    int       // the link is reset after so many bytes more; -1 for never
}

type piece struct {
	data []byte
	came time.Time
	end  bool // of the stream
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// reset ends both connections by RST.
func (l *link) reset() {
	l.mu.Lock()
	ended := l.ended
	l.ended = true
	l.mu.Unlock()
	if ended {
		return
	}
	close(l.done)
	reset(l.side[up])
	reset(l.side[down])
	p := l.proxy
	p.mu.Lock()
	for i, other := range p.links {
		if other == l {
			p.links = append(p.links[:i:i], p.links[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	p.log.note("link %d ends", l.number)
}

// resetSide resets one connection. The other side hears nothing of it until d has
// passed.
func (l *link) resetSide(d direction, later time.Duration) {
	l.stall(up, later)
	l.stall(down, later)
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	reset(l.side[d])
	time.AfterFunc(later, l.reset)
}

// finish sends FIN to one side. The other direction goes on, and ends after a while.
func (l *link) finish(d direction, later time.Duration) {
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	_ = l.side[d].CloseWrite()
	time.AfterFunc(later, l.reset)
}

// stall lets nothing pass for a time. What comes meanwhile is passed on afterwards.
func (l *link) stall(d direction, during time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(during); until.After(l.half[d].stalled) {
		l.half[d].stalled = until
	}
}

// silence is a half-open connection: nothing passes any more, not even its end.
func (l *link) silence(during time.Duration) {
	l.stall(up, during+time.Minute)
	l.stall(down, during+time.Minute)
	time.AfterFunc(during, l.reset)
}

// cutAfter resets the link in the middle of what goes that way.
func (l *link) cutAfter(d direction, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.half[d].fuse = bytes
}

// read queues what comes from a side.
func (h *half) read(from *net.TCPConn, tap func([]byte)) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			data := append([]byte(nil), buffer[:n]...)
			tap(data)
			if !h.put(piece{data: data, came: time.Now()}) {
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			h.put(piece{end: true, came: time.Now()})
			return
		default: // RST
			h.link.mu.Lock()
			broken := h.link.broken
			h.link.mu.Unlock()
			if !broken { // by us: it ends later
				h.link.reset()
			}
			return
		}
	}
}

func (h *half) put(p piece) bool {
	select {
	case h.queue <- p:
		return true
	case <-h.link.done:
		return false
	}
}

// write passes on what is queued, as the weather and the faults let it.
func (h *half) write() {
	l := h.link
	for {
		var p piece
		select {
		case p = <-h.queue:
		case <-l.done:
			return
		}
		for len(p.data) > 0 {
			l.proxy.mu.Lock()
			w := l.proxy.weather
			l.proxy.mu.Unlock()
			if !h.wait(time.Until(p.came.Add(w.delay))) {
				return
			}
			n := len(p.data)
			if w.slice > 0 {
				n = min(n, 1+h.random.IntN(w.slice))
			}
			if w.rate > 0 {
				n = min(n, max(1, w.rate/50))
			}
			l.mu.Lock()
			stalled, fuse := time.Until(l.half[h.direction].stalled), h.fuse
			if fuse >= 0 && stalled <= 0 {
				n = min(n, fuse)
				h.fuse -= n
			}
			l.mu.Unlock()
			if stalled > 0 {
				if !h.wait(min(stalled, 20*time.Millisecond)) {
					return
				}
				continue
			}
			if _, err := l.side[h.direction].Write(p.data[:n]); err != nil {
				l.mu.Lock()
				broken := l.broken
				l.mu.Unlock()
				if !broken {
					l.reset()
				}
				return
			}
			if p.data = p.data[n:]; fuse >= 0 && n == fuse {
				l.reset()
				return
			}
			if w.rate > 0 && !h.wait(time.Duration(n)*time.Second/time.Duration(w.rate)) {
				return
			}
		}
		if p.end {
			_ = l.side[h.direction].CloseWrite()
			// A WebSocket has no use for the other half.
			time.AfterFunc(time.Second, l.reset)
			return
		}
	}
}

// wait waits, and returns false when the link has ended.
func (h *half) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-h.link.done:
		return false
	case <-time.After(d):
		return true
	}
}
