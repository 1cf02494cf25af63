package sim

import (
	"bytes"
	"net/url"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// later calls f after the current call to the client, in the same turn. A Host must not
// call the client during a call to the Host.
func (u *user) later(f func()) { u.effects = append(u.effects, f) }

func (u *user) Provide(attempt uint32, _ bool) {
	u.later(func() {
		c := u.c
		delay := u.w.between(0, time.Second)
		if u.w.chance(0.02) {
			delay = u.w.between(time.Second, 2*time.Minute)
		}
		if u.w.chance(0.01) {
			return // the provider never answers
		}
		u.w.after(delay, func() {
			u.do(func() {
				if u.c != c {
					return // the page has been reloaded
				}
				if u.w.chance(0.03) {
					u.c.ProviderFailed(u.w.now, attempt, "", "no reason", true)
					return
				}
				life := u.w.between(time.Second, time.Hour)
				if u.w.chance(0.05) {
					life = -time.Second
				}
				c := sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token", Expiration: u.clock().Add(life)}
				u.c.Provided(u.w.now, attempt, client.ProviderResult{Credentials: &c}, u.clock())
			})
		})
	})
}

// clock returns the time of day of the user's machine.
func (u *user) clock() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(u.w.now + u.wall)
}

func (u *user) Open(attempt uint32, address secret.String) {
	u.later(func() {
		w, c := u.w, u.c
		if u.link != nil {
			w.broken("the client opens a second socket")
		}
		if w.now < u.retryAt {
			w.broken("the attempt is %v too early", u.retryAt-w.now)
		}
		parsed, err := url.Parse(address.Reveal())
		if err != nil {
			w.broken("the URL is invalid: %v", err)
			return
		}
		if signed := parsed.Query().Get("X-Amz-Date"); signed != u.clock().UTC().Format("20060102T150405Z") {
			w.broken("the date of the signature is %s, want %s", signed, u.clock().UTC().Format("20060102T150405Z"))
		}
		l := &link{w: w}
		u.link, u.open = l, false
		l.toClient = func(b []byte) {
			u.do(func() {
				if u.link == l {
					u.wire[0] = append(u.wire[0], b...)
					u.receive(attempt, b)
				}
			})
		}
		l.clientClosed = func(code int) {
			u.do(func() {
				if u.link == l {
					u.link, u.open = nil, false
				}
				if u.c == c {
					u.c.SocketClosed(w.now, attempt, code)
				}
			})
		}
		l.brokerClosed = func() {}
		switch {
		case w.chance(0.03): // refused
			l.closed = true
			w.after(w.between(0, time.Second), func() { l.clientClosed(1006) })
		case w.chance(0.01): // the socket neither opens nor closes
		default:
			w.after(w.between(0, time.Second), func() {
				if l.closed {
					return
				}
				u.b.accept(l)
				u.do(func() {
					if u.link == l {
						u.open = true
						u.wire, u.traced = [2][]byte{}, [2][]byte{}
						u.c.Opened(w.now, attempt)
					}
				})
			})
		}
	})
}

// receive passes a WebSocket message to the client in parts of random sizes. The memory of
// a part does not remain valid.
func (u *user) receive(attempt uint32, frame []byte) {
	for at := 0; at < len(frame); {
		n := len(frame) - at
		if u.w.chance(0.5) {
			n = 1 + u.w.rand.IntN(min(n, 300))
		}
		part := bytes.Clone(frame[at : at+n])
		u.frameRest = frame[at+n:]
		at += u.c.Receive(u.w.now, attempt, part, len(u.frameRest))
		clear(part)
	}
}

func (u *user) Packet(out bool, packet []byte, size int) {
	if len(packet) != size {
		u.w.broken("the client reports %d bytes of a packet of %d bytes", len(packet), size)
	}
	i := 0
	if out {
		i = 1
	}
	u.traced[i] = append(u.traced[i], packet...)
}

func (u *user) Close(attempt uint32, last []byte) {
	if u.open {
		u.wire[1] = append(u.wire[1], last...)
	}
	u.later(func() {
		if u.link == nil {
			return
		}
		if u.open && len(last) > 0 {
			u.link.clientSends(last)
		}
		l := u.link
		u.link, u.open = nil, false
		l.closeByClient()
	})
}

func (u *user) Probe(attempt uint32, _ secret.String) {
	u.later(func() {
		if u.w.chance(0.1) {
			return
		}
		p := client.Probe{}
		if u.w.chance(0.5) {
			p = client.Probe{Status: 403, Code: "InvalidSignatureException"}
		}
		c := u.c
		u.w.after(u.w.between(0, time.Second), func() {
			u.do(func() {
				if u.c == c {
					c.Probed(u.w.now, attempt, p)
				}
			})
		})
	})
}
