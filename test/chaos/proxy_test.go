package chaos

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// direction is the direction of bytes.
type direction int

const (
	up   direction = iota // from the page to the broker
	down                  // from the broker to the page
)

// A proxy passes bytes between the page and the broker. It implements the network faults.
type proxy struct {
	listener net.Listener
	broker   string
	seed     uint64
	log      *journal
	tap      func() *tap // makes the tap of a new link

	mu      sync.Mutex
	links   []*link // open links in the order of their start
	count   int
	network conditions
	closed  bool
}

// conditions apply to all links. The zero value is a good network.
type conditions struct {
	refuse bool          // reset new connections
	delay  time.Duration // of each piece
	slice  int           // the size of the largest piece in bytes; 0: unlimited
	rate   int           // bytes per second; 0: unlimited
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
	refuse := p.network.refuse || p.closed
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
			link: l, direction: direction(d), cutAt: -1, queue: make(chan piece, 256),
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

// newest returns the link that the page most likely uses, or nil.
func (p *proxy) newest() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.links) == 0 {
		return nil
	}
	return p.links[len(p.links)-1]
}

// set changes the conditions of all links.
func (p *proxy) set(change func(*conditions)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.network)
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

// endFaults ends all faults. It resets stalled links, so that the page detects their loss at
// once and not after its keep-alive.
func (p *proxy) endFaults() {
	p.mu.Lock()
	p.network = conditions{}
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
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.resetAll()
}

// A link is a TCP connection of the page and the corresponding connection to the broker.
type link struct {
	proxy  *proxy
	number int
	side   [2]*net.TCPConn // by the direction of the bytes that are written to it
	half   [2]*half        // by direction
	done   chan struct{}

	mu     sync.Mutex
	broken bool // a fault has closed one side
	ended  bool
}

// A half passes the bytes of one direction.
type half struct {
	link      *link
	direction direction
	queue     chan piece
	random    *rand.Rand // used only by write

	// Guarded by link.mu.
	stalled time.Time // no bytes pass until then
	cutAt   int       // the number of bytes after which the link is reset; -1: no reset
}

type piece struct {
	data    []byte
	arrived time.Time
	end     bool // of the stream
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// reset ends both connections with RST.
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

// resetSide resets one connection now, and the other one after a delay.
func (l *link) resetSide(d direction, later time.Duration) {
	l.stall(up, later)
	l.stall(down, later)
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	reset(l.side[d])
	time.AfterFunc(later, l.reset)
}

// finish sends FIN to one side. The other direction continues for a time, and then finish
// resets the link.
func (l *link) finish(d direction, later time.Duration) {
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	_ = l.side[d].CloseWrite()
	time.AfterFunc(later, l.reset)
}

// stall delays all bytes of a direction for a time.
func (l *link) stall(d direction, during time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(during); until.After(l.half[d].stalled) {
		l.half[d].stalled = until
	}
}

// silence makes the link half-open: the link passes neither bytes nor the end of a stream.
// After a time, silence resets the link.
func (l *link) silence(during time.Duration) {
	l.stall(up, during+time.Minute)
	l.stall(down, during+time.Minute)
	time.AfterFunc(during, l.reset)
}

// cutAfter resets the link after a number of bytes of a direction.
func (l *link) cutAfter(d direction, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.half[d].cutAt = bytes
}

// read queues the bytes of a side.
func (h *half) read(from *net.TCPConn, tap func([]byte)) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			data := append([]byte(nil), buffer[:n]...)
			tap(data)
			if !h.put(piece{data: data, arrived: time.Now()}) {
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			h.put(piece{end: true, arrived: time.Now()})
			return
		default: // RST
			h.link.mu.Lock()
			broken := h.link.broken
			h.link.mu.Unlock()
			if !broken { // otherwise the fault resets the link later
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

// write passes the queued bytes to the other side, subject to the conditions and faults.
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
			c := l.proxy.network
			l.proxy.mu.Unlock()
			if !h.wait(time.Until(p.arrived.Add(c.delay))) {
				return
			}
			n := len(p.data)
			if c.slice > 0 {
				n = min(n, 1+h.random.IntN(c.slice))
			}
			if c.rate > 0 {
				n = min(n, max(1, c.rate/50))
			}
			l.mu.Lock()
			stalled, cutAt := time.Until(l.half[h.direction].stalled), h.cutAt
			if cutAt >= 0 && stalled <= 0 {
				n = min(n, cutAt)
				h.cutAt -= n
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
			if p.data = p.data[n:]; cutAt >= 0 && n == cutAt {
				l.reset()
				return
			}
			if c.rate > 0 && !h.wait(time.Duration(n)*time.Second/time.Duration(c.rate)) {
				return
			}
		}
		if p.end {
			_ = l.side[h.direction].CloseWrite()
			// A WebSocket does not use a half-closed connection.
			time.AfterFunc(time.Second, l.reset)
			return
		}
	}
}

// wait waits for a time. It returns false if the link ends first.
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
