package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// The topics of the bench. The lean peer sends each message of QoS 0 with the topic echoTopic
// back to its publisher. It counts all other messages.
const (
	inFilter  = "bench/in/+"
	echoTopic = "bench/in/echo"
	endTopic  = "bench/in/end"
	inTopics  = 16 // the number of topics bench/in/00, bench/in/01, … that a blast uses in turn
)

// window is the largest number of unacknowledged messages of QoS 1 that the lean peer
// sends, unless the client's Receive Maximum is lower.
const window = 1000

// lean is the lean peer: a server for MQTT 5 and MQTT 3.1.1. To be fast, it implements only
// the parts that the measurements need.
type lean struct {
	mu    sync.Mutex
	conns map[string]*conn // by the last segment of the request path
}

func newLean() *lean { return &lean{conns: map[string]*conn{}} }

// ServeHTTP opens a WebSocket and serves the connection until it ends.
func (l *lean) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, from, err := upgrade(w, r)
	if err != nil {
		return
	}
	defer c.Close()
	k := &conn{net: c, receiveMaximum: 65535}
	k.changed.L = &k.mu
	name := r.PathValue("name")
	l.mu.Lock()
	l.conns[name] = k
	l.mu.Unlock()
	k.end(k.read(from))
	l.mu.Lock()
	if l.conns[name] == k {
		delete(l.conns, name)
	}
	l.mu.Unlock()
}

// get returns the newest open connection with a name. It fails if there is none.
func (l *lean) get(name string) (*conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.conns[name]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("no open connection is named %q", name)
}

// A conn is the lean peer's side of a connection.
type conn struct {
	net            net.Conn
	version        byte // the protocol version in CONNECT: 5, or 4 for MQTT 3.1.1
	receiveMaximum int  // the client's Receive Maximum

	writing sync.Mutex // held during a write to net

	mu       sync.Mutex // guards the members below
	changed  sync.Cond  // signals changes of inflight and err, and the end of a context
	inflight int        // sent messages of QoS 1 that the client has not acknowledged
	expected int        // messages that must arrive before the lean peer sends the end message
	err      error      // the reason for the end of the connection; nil while it is open
}

// end stores the reason for the end of the connection. nil counts as io.EOF.
func (k *conn) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		err = io.EOF
	}
	k.err = err
	k.changed.Broadcast()
}

func (k *conn) write(b []byte) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	_, err := k.net.Write(b)
	return err
}

// read reads and answers the client's packets until the connection ends. It sends the
// answers to all packets of one read in one frame.
func (k *conn) read(from io.Reader) error {
	var frames unframer
	var stream, answer, out []byte
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		for b := buffer[:n]; len(b) > 0; {
			payload, opcode, rest := frames.next(b)
			switch opcode {
			case opClose:
				return k.write(appendFrame(nil, opClose, nil))
			case opPing:
				err = k.write(appendFrame(nil, opPong, payload))
			case opPong:
			default:
				stream = append(stream, payload...)
			}
			if err != nil {
				return err
			}
			b = rest
		}
		used := 0
		for {
			size, header := packetSize(stream[used:])
			if size == 0 || len(stream)-used < size {
				break
			}
			packet := stream[used : used+size]
			if answer, err = k.packet(packet, header, answer); err != nil {
				return err
			}
			used += size
		}
		stream = stream[:copy(stream, stream[used:])]
		if len(answer) > 0 {
			out = appendFrame(out[:0], opBinary, answer)
			answer = answer[:0]
			if err := k.write(out); err != nil {
				return err
			}
		}
	}
}

// packetSize returns the sizes of the first packet in b and of its fixed header. Both are 0
// if b does not contain the complete fixed header.
func packetSize(b []byte) (size, header int) {
	if len(b) < 2 {
		return 0, 0
	}
	remaining, n := binary.Uvarint(b[1:]) // MQTT's Variable Byte Integers have the same encoding
	if n <= 0 {
		return 0, 0
	}
	return 1 + n + int(remaining), 1 + n
}

// The types of the packets that the lean peer receives: the upper four bits of the first byte.
const (
	connect    = 1
	publish    = 3
	puback     = 4
	subscribe  = 8
	pingreq    = 12
	disconnect = 14
)

var errMalformed = errors.New("malformed packet")

// packet handles a packet and appends the answer, if the packet has one.
func (k *conn) packet(p []byte, header int, answer []byte) ([]byte, error) {
	body := p[header:]
	switch p[0] >> 4 {
	case publish:
		return k.publish(p, body, answer)
	case puback:
		k.mu.Lock()
		k.inflight--
		k.changed.Broadcast()
		k.mu.Unlock()
		return answer, nil
	case connect:
		return k.connect(body, answer)
	case subscribe:
		return k.subscribe(body, answer)
	case pingreq:
		return append(answer, 0xD0, 0), nil
	case disconnect:
		return answer, io.EOF
	}
	return answer, fmt.Errorf("unexpected packet of type %d", p[0]>>4)
}

func (k *conn) connect(body, answer []byte) ([]byte, error) {
	if len(body) < 11 {
		return nil, errMalformed
	}
	k.version = body[6]
	if k.version < 5 {
		return append(answer, 0x20, 2, 0, 0), nil
	}
	if n, err := receiveMaximum(body[10:]); err != nil {
		return nil, err
	} else if n > 0 {
		k.receiveMaximum = n
	}
	return append(answer, 0x20, 6, 0, 0, 3, 0x21, 0xFF, 0xFF), nil
}

// receiveMaximum returns the Receive Maximum in the properties of CONNECT, or 0 if they
// contain none.
func receiveMaximum(b []byte) (int, error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < length {
		return 0, errMalformed
	}
	text := func(b []byte) int {
		if len(b) < 2 {
			return len(b) + 1
		}
		return 2 + int(binary.BigEndian.Uint16(b))
	}
	for b = b[n : n+int(length)]; len(b) > 0; {
		id := b[0]
		b = b[1:]
		size := 0
		switch id {
		case 0x17, 0x19:
			size = 1
		case 0x21, 0x22:
			size = 2
		case 0x11, 0x27:
			size = 4
		case 0x15, 0x16:
			size = text(b)
		case 0x26:
			if size = text(b); size <= len(b) {
				size += text(b[size:])
			}
		default:
			return 0, errMalformed
		}
		if size > len(b) {
			return 0, errMalformed
		}
		if id == 0x21 {
			return int(binary.BigEndian.Uint16(b)), nil
		}
		b = b[size:]
	}
	return 0, nil
}

func (k *conn) subscribe(body, answer []byte) ([]byte, error) {
	if len(body) < 3 {
		return nil, errMalformed
	}
	id, filters := body[:2], body[2:]
	if k.version == 5 {
		length, n := binary.Uvarint(filters)
		if n <= 0 || uint64(len(filters)-n) < length {
			return nil, errMalformed
		}
		filters = filters[n+int(length):]
	}
	var granted []byte
	for len(filters) > 0 {
		if len(filters) < 3 {
			return nil, errMalformed
		}
		n := 2 + int(binary.BigEndian.Uint16(filters))
		if len(filters) < n+1 {
			return nil, errMalformed
		}
		granted = append(granted, filters[n]&3)
		filters = filters[n+1:]
	}
	head := append([]byte{}, id...)
	if k.version == 5 {
		head = append(head, 0)
	}
	answer = binary.AppendUvarint(append(answer, 0x90), uint64(len(head)+len(granted)))
	return append(append(answer, head...), granted...), nil
}

func (k *conn) publish(p, body, answer []byte) ([]byte, error) {
	if len(body) < 2 {
		return nil, errMalformed
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	qos := p[0] >> 1 & 3
	if len(body) < end+2*int(min(qos, 1)) {
		return nil, errMalformed
	}
	if qos > 0 {
		answer = append(answer, 0x40, 2, body[end], body[end+1])
	} else if string(body[2:end]) == echoTopic {
		return append(answer, p...), nil
	}
	k.mu.Lock()
	k.expected--
	last := k.expected == 0
	k.mu.Unlock()
	if last {
		answer = k.appendEnd(answer)
	}
	return answer, nil
}

// expect makes the lean peer send the end message when n more messages have arrived.
func (k *conn) expect(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expected = n
}

// appendEnd appends the end message: a message to endTopic with a payload of one byte.
func (k *conn) appendEnd(to []byte) []byte {
	return k.appendPublish(to, endTopic, 0, 0, []byte{1})
}

// appendPublish appends a PUBLISH without properties. id is ignored for QoS 0.
func (k *conn) appendPublish(to []byte, topic string, qos byte, id uint16, payload []byte) []byte {
	size := 2 + len(topic) + len(payload)
	if qos > 0 {
		size += 2
	}
	if k.version == 5 {
		size++
	}
	to = binary.AppendUvarint(append(to, 0x30|qos<<1), uint64(size))
	to = append(binary.BigEndian.AppendUint16(to, uint16(len(topic))), topic...)
	if qos > 0 {
		to = binary.BigEndian.AppendUint16(to, id)
	}
	if k.version == 5 {
		to = append(to, 0)
	}
	return append(to, payload...)
}

// A blast is a number of messages that the lean peer sends as fast as possible.
type blast struct {
	Count    int  // the number of messages
	Size     int  // the size of each payload in bytes, at least 2
	QoS      byte // 0 or 1
	PerFrame int  // the number of packets in one WebSocket message, at least 1
}

// chunk is the approximate size of one write in bytes.
const chunk = 128 << 10

// blast sends the messages of b as fast as the client receives them, and then the end
// message. For QoS 1 it sends the end message after the last PUBACK. blast fails if the
// connection or ctx ends first.
func (k *conn) blast(ctx context.Context, b blast) error {
	var topics [inTopics]string
	for i := range topics {
		topics[i] = fmt.Sprintf("bench/in/%02d", i)
	}
	payload := make([]byte, b.Size)
	for i := range payload {
		payload[i] = byte('a' + i%26)
	}
	most := min(window, k.receiveMaximum)
	perFrame := b.PerFrame
	if b.QoS > 0 {
		perFrame = min(perFrame, most)
	}
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()

	var packets, out []byte
	for sent := 0; sent < b.Count; {
		free := b.Count
		if b.QoS > 0 {
			if err := k.wait(ctx, func() bool { return most-k.inflight >= perFrame }); err != nil {
				return err
			}
			k.mu.Lock()
			free = most - k.inflight
			k.mu.Unlock()
		}
		out = out[:0]
		before := sent
		for n := min(perFrame, b.Count-sent); n > 0 && n <= free && len(out) < chunk; n = min(perFrame, b.Count-sent) {
			packets = packets[:0]
			for range n {
				packets = k.appendPublish(packets, topics[sent%inTopics], b.QoS, uint16(sent%65535)+1, payload)
				sent++
			}
			free -= n
			out = appendFrame(out, opBinary, packets)
		}
		if b.QoS > 0 {
			k.mu.Lock()
			k.inflight += sent - before
			k.mu.Unlock()
		}
		if err := k.write(out); err != nil {
			return err
		}
	}
	if err := k.wait(ctx, func() bool { return k.inflight == 0 }); err != nil {
		return err
	}
	return k.write(appendFrame(nil, opBinary, k.appendEnd(nil)))
}

// wait waits until done returns true. It calls done with k.mu held. wait fails if the
// connection or ctx ends first.
func (k *conn) wait(ctx context.Context, done func() bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for !done() {
		if k.err != nil {
			return fmt.Errorf("the connection has ended: %w", k.err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.changed.Wait()
	}
	return nil
}
