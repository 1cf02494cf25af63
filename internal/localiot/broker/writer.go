package broker

import (
	"encoding/binary"
	"net"

	"nhooyr.io/websocket"
)

const (
	// batchSize is the maximum size of a WebSocket message to the client, in bytes. A larger packet is
	// sent alone. writeLoop sends many packets as one WebSocket message, because a browser's cost is per
	// message. Go clients read messages of up to 32 KiB by default.
	batchSize = 16 << 10

	// maxReplies is the number of queued replies above which Serve does not read the next packet.
	maxReplies = 1024

	// outgoingOverhead estimates the memory of a queued packet without its bytes.
	outgoingOverhead = 64
)

// outgoing is a packet for the client.
type outgoing struct {
	bytes []byte // must not change

	header byte   // replaces the first byte unless it is 0
	idAt   int    // the index of the packet identifier; 0 if it need not be set
	id     uint16 // replaces the packet identifier

	gate      *gate // if not nil, the packet and all later packets wait until the gate is open
	isReply   bool
	droppable bool // a QoS 0 message
}

// gate delays the acknowledgement of a packet until the packet's effects are stored. Conn.mu guards it.
type gate struct {
	waiting int // the number of events that are outstanding; the gate is open at 0
}

// outQueue is a queue of packets. Conn.mu guards it.
type outQueue struct {
	packets []outgoing
	sent    int // the number of packets that have been taken from the front
	replies int // the number of packets that are replies
	unsent  int // the size of the droppable packets, in bytes

	// dropping is set from the first dropped message until the queue is empty.
	dropping bool
}

func (q *outQueue) push(o outgoing) {
	if o.isReply {
		q.replies++
	}
	if o.droppable {
		q.unsent += outgoingOverhead + len(o.bytes)
	}
	q.packets = append(q.packets, o)
}

// pop removes the first packet. The queue must not be empty.
func (q *outQueue) pop() {
	o := &q.packets[q.sent]
	if o.isReply {
		q.replies--
	}
	if o.droppable {
		q.unsent -= outgoingOverhead + len(o.bytes)
	}
	*o = outgoing{}
	q.sent++
	switch {
	case q.sent == len(q.packets):
		q.packets, q.sent, q.dropping = q.packets[:0], 0, false
		if cap(q.packets) > 4096 {
			q.packets = nil
		}
	case q.sent > 1024 && q.sent > len(q.packets)/2:
		n := copy(q.packets, q.packets[q.sent:])
		clear(q.packets[n:])
		q.packets, q.sent = q.packets[:n], 0
	}
}

// take appends the next packets to batch, up to batchSize. If skip is false, it stops before a closed
// gate. If skip is true, it drops packets with a closed gate.
func (q *outQueue) take(batch []byte, skip bool) []byte {
	for q.sent < len(q.packets) {
		o := &q.packets[q.sent]
		isOpen := o.gate == nil || o.gate.waiting == 0
		if !isOpen && !skip || len(batch) > 0 && len(batch)+len(o.bytes) > batchSize {
			break
		}
		if isOpen {
			at := len(batch)
			batch = append(batch, o.bytes...)
			if o.header != 0 {
				batch[at] = o.header
			}
			if o.idAt != 0 {
				binary.BigEndian.PutUint16(batch[at+o.idAt:], o.id)
			}
		}
		q.pop()
	}
	return batch
}

// reply queues the reply to a packet. The gate may be nil.
func (c *Conn) reply(packet []byte, g *gate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.out.push(outgoing{bytes: packet, gate: g, isReply: true})
		c.changed.Broadcast()
	}
}

// open records that one event has occurred for which the gate waited.
func (c *Conn) open(g *gate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g.waiting--
	c.changed.Broadcast()
}

// waitForReplies waits while too many replies are queued. A client that sends packets but reads no
// replies is thereby not read, until its keep-alive ends.
func (c *Conn) waitForReplies() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.replies > maxReplies && !c.closing {
		c.changed.Wait()
	}
	if c.closing {
		return net.ErrClosed
	}
	return nil
}

// writeLoop writes queued packets until the connection closes, and then closes the WebSocket. A write has
// no timeout: the keep-alive ends the connection of a client that does not respond.
func (c *Conn) writeLoop() {
	defer close(c.closed)
	var batch []byte
	for {
		c.mu.Lock()
		batch = c.out.take(batch[:0], c.closing)
		for len(batch) == 0 && !c.closing {
			c.changed.Wait()
			batch = c.out.take(batch[:0], c.closing)
		}
		c.changed.Broadcast() // waitForReplies may continue
		c.mu.Unlock()
		if len(batch) == 0 {
			break
		}
		c.limitThroughput(len(batch))
		if _, err := c.stream.Write(batch); err != nil {
			c.Close()
			break
		}
		if cap(batch) > 4*batchSize {
			batch = nil
		}
	}
	// NetConn.Close alone would end the connection before the client has read its last packets.
	c.socket.ws.Close(websocket.StatusNormalClosure, "")
	c.stream.Close()
}
