package client

import "strings"

const (
	// maxPacketBytes is the number of bytes of a packet that [Host.Packet] receives at
	// most.
	maxPacketBytes = 64 << 10
	// maxMasked is the number of bytes that are searched for secrets. It is larger than
	// maxPacketBytes, so that a secret at the end of these bytes is also found.
	maxMasked = 128 << 10
)

// A wire splits the bytes of one direction of a connection into packets. The zero wire is
// at the start of a packet.
type wire struct {
	packet []byte // the first bytes of the packet: all, if they are not more than maxMasked
	size   int    // the size of the packet; 0: its fixed header is incomplete, -1: its start is unknown
	left   int    // the number of bytes that complete the packet; -1: its length is not valid
}

// TracePackets reports each packet on the wire by [Host.Packet] from now on. A packet is
// reported when its last byte is received, or has been passed to the socket.
func (c *Client) TracePackets() {
	if c.tracing {
		return
	}
	c.tracing = true
	c.sent, c.received = wire{}, wire{}
	if n := c.engine.Unfinished(); n > 0 {
		c.sent = wire{size: -1, left: n}
	}
	c.trace(&c.received, false, c.engine.Partial())
}

// trace reports the packets that b completes. b is the next part of the bytes of w.
func (c *Client) trace(w *wire, out bool, b []byte) {
	for len(b) > 0 && w.left >= 0 {
		n := 1
		if w.size != 0 {
			n = min(w.left, len(b))
		}
		if w.size >= 0 && len(w.packet) < maxMasked {
			w.packet = append(w.packet, b[:n]...)
		}
		if at := len(w.packet) - 1; w.size != 0 {
			w.left -= n
		} else if at > 0 { // a byte of the Remaining Length (section 2.1.4)
			w.left |= int(b[0]&0x7f) << (7 * (at - 1))
			if b[0] < 0x80 {
				w.size = at + 1 + w.left
			} else if at == 4 {
				w.left = -1
			}
		}
		b = b[n:]
		if w.size != 0 && w.left == 0 {
			if w.size > 0 {
				c.report(out, w.packet, w.size)
			}
			*w = wire{}
		}
	}
}

// report passes a packet to the Host, with "*" in place of each byte of a secret.
func (c *Client) report(out bool, packet []byte, size int) {
	packet = packet[:min(len(packet), maxMasked)]
	c.secrets.mask(packet)
	if o := &c.options; out && packet[0] == 0x10 {
		// User name and password are the last fields of a CONNECT (section 3.1.3). The
		// password may be too short for mask. The user name may contain a secret if it is
		// the only credential, if it has a query, or if a custom authorizer receives it.
		at := size - len(o.Password)
		hide(packet, at, size)
		if user := o.Username; user != nil && (o.Password == "" || o.Authorizer != "" || c.awsQuotas || strings.Contains(*user, "?")) {
			if o.Password != "" {
				at -= 2
			}
			hide(packet, at-len(*user), at)
		}
	}
	c.host.Packet(out, packet[:min(len(packet), maxPacketBytes)], size)
}
