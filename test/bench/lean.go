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

// Topics of the bench. What a page publishes to echoTopic comes back to it; all
// that it publishes elsewhere is counted.
const (
	inFilter  = "bench/in/+"
	echoTopic = "bench/in/echo"
	endTopic  = "bench/in/end"
	inTopics  = 16 // bench/in/00, bench/in/01, …: what is blasted goes to them in turn
)

// window is how many QoS 1 messages the lean peer has on their way at most,
// where the client's Receive Maximum does not say less.
const window = 1000

// lean is the other side of every client: as much of an MQTT 5 and 3.1.1 server
// as a measurement needs, and nothing that takes time. A connection is known by
// the last part of its path.
type lean struct {
	mu    sync.Mutex
	conns map[string]*conn
}

func newLean() *lean { return &lean{conns: map[string]*conn{}} }

// ServeHTTP is the WebSocket endpoint.
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

// get returns an open connection.
func (l *lean) get(name string) (*conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.conns[name]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("there is no connection %q", name)
}

// A conn is one client's connection.
type conn struct {
	net            net.Conn
	version        byte // 4 is MQTT 3.1.1
	receiveMaximum int

	writing sync.Mutex

	mu       sync.Mutex
	changed  sync.Cond
	inflight int   // QoS 1 messages that the client has not acknowledged
	expected int   // PUBLISHes until the client is told that all have come
	err      error // why the connection has ended
}

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

// read answers the client until it goes. What is to be said about the packets
// of one read goes out in one frame.
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

// packetSize tells how long the packet is that b begins with, and its fixed
// header; 0 while that is not complete.
func packetSize(b []byte) (size, header int) {
	if len(b) < 2 {
		return 0, 0
	}
	remaining, n := binary.Uvarint(b[1:]) // MQTT's variable byte integers are the same
	if n <= 0 {
		return 0, 0
	}
	return 1 + n + int(remaining), 1 + n
}

// The control packets that are met here, by the first byte's upper half.
const (
	connect    = 1
	publish    = 3
	puback     = 4
	subscribe  = 8
	pingreq    = 12
	disconnect = 14
)

var errMalformed = errors.New("a malformed packet")

// packet handles one packet, and appends what it has to be answered with.
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
	return answer, fmt.Errorf("a packet of type %d", p[0]>>4)
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

// receiveMaximum finds it in CONNECT's properties; 0 where it is not said.
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

// expect has the client told by a message to endTopic when n PUBLISHes have come.
func (k *conn) expect(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expected = n
}

func (k *conn) appendEnd(to []byte) []byte {
	return k.appendPublish(to, endTopic, 0, 0, []byte{1})
}

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

// A blast is what the lean peer sends when told to.
type blast struct {
	Count    int  // messages
	Size     int  // bytes of payload of each, 2 or more
	QoS      byte // 0 or 1
	PerFrame int  // packets in one WebSocket message
}

// chunk is about how many bytes the network is given at once.
const chunk = 128 << 10

// blast sends, as fast as the client takes it. It ends with a message to
// endTopic, which says to the client that all have come; with QoS 1 that leaves
// when the last PUBACK is there.
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

// wait returns when done, which is called with k.mu held, says so.
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
