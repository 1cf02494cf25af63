package faults

import "sync"

// Pending holds the faults that take effect on a later request or packet, and the frozen
// connections. It is safe for concurrent use.
type Pending struct {
	mu          sync.Mutex
	cognito     countdown[string] // exception names
	upgrades    countdown[int]    // HTTP statuses
	connacks    countdown[byte]   // reason codes
	lastUpgrade int               // the status with which the last handshake was refused, or 0
	frozen      map[*Conn]string  // client ids of the frozen connections
}

// NewPending returns a Pending without faults.
func NewPending() *Pending { return &Pending{frozen: make(map[*Conn]string)} }

// countdown holds a value that is used n more times.
type countdown[V any] struct {
	value V
	n     int
}

func newCountdown[V any](value V, count *int) countdown[V] {
	if count == nil {
		return countdown[V]{value, 1}
	}
	return countdown[V]{value, *count}
}

func (c *countdown[V]) next() (value V, ok bool) {
	if c.n <= 0 {
		return value, false
	}
	c.n--
	return c.value, true
}

// Schedule stores the members Cognito, Upgrade and Connack of f. Each replaces the stored fault of its
// kind.
func (p *Pending) Schedule(f *Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Cognito != nil {
		p.cognito = newCountdown(f.Cognito.Error, f.Cognito.Count)
	}
	if f.Upgrade != nil {
		p.upgrades, p.lastUpgrade = newCountdown(f.Upgrade.Status, f.Upgrade.Count), 0
	}
	if f.Connack != nil {
		p.connacks = newCountdown(f.Connack.Reason, f.Connack.Count)
	}
}

// NextCognito reports whether a request to Cognito must fail, and returns the name of the exception. It
// counts the request.
func (p *Pending) NextCognito() (exception string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cognito.next()
}

// NextUpgrade returns the HTTP status of the refusal of a request to /mqtt. It returns 0 if the server
// must not refuse the request. It counts WebSocket handshakes. For any other request it returns the
// status of the last handshake, so that a page can fetch the reason of a refusal.
func (p *Pending) NextUpgrade(isHandshake bool) (status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if isHandshake {
		p.lastUpgrade, _ = p.upgrades.next()
	}
	return p.lastUpgrade
}

// NextConnack reports whether a CONNECT must be refused, and returns the reason code of the CONNACK. It
// counts the CONNECT.
func (p *Pending) NextConnack() (reason byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connacks.next()
}

// Freeze freezes the connection of a client, and reports whether it is now frozen. A closed connection
// cannot be frozen.
func (p *Pending) Freeze(c *Conn, clientID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.freeze() {
		return false
	}
	p.frozen[c] = clientID
	return true
}

// Cut resets the TCP connection, without a closing handshake of TCP or of the WebSocket. It resets a
// frozen connection too, which is then no longer frozen.
func (p *Pending) Cut(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.frozen, c)
	c.cut()
}

// Thaw thaws the frozen connections of a client, or all frozen connections for AllClients. It returns
// the number of connections that it thawed. If the server has closed a connection while it was frozen,
// Thaw closes the TCP connection.
func (p *Pending) Thaw(clientID string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, id := range p.frozen {
		if clientID == AllClients || clientID == id {
			c.thaw()
			delete(p.frozen, c)
			n++
		}
	}
	return n
}
