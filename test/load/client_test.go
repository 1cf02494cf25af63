package load

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"iot.wasm/test/harness"
)

// payloadSize is the size of a message's payload: the number of the publisher in its room, the number of
// the message, the time at which it was sent, and zeros.
const payloadSize = 200

// A client is a member of a room. It publishes messages to the room, and receives those of all members.
// It encodes and decodes packets itself, because a library would use more CPU time than the server.
type client struct {
	member int
	topic  string
	conn   net.Conn
	reader *bufio.Reader

	sent      atomic.Int64 // messages that the client has published
	acked     atomic.Int64 // and that the server has acknowledged
	received  atomic.Int64
	closing   atomic.Bool     // the client closes the connection
	failure   error           // the first error of receive; valid after its end
	latencies []time.Duration // of the received messages; valid after the end of receive
}

// join connects a client, and subscribes it to its room with QoS 1.
func join(s *harness.Settings, room, member int) (*client, error) {
	conn, err := s.Dial()
	if err != nil {
		return nil, err
	}
	c := &client{member: member, topic: fmt.Sprint("load/room", room), conn: conn}
	c.reader = bufio.NewReaderSize(c.conn, 64<<10)
	id := fmt.Sprintf("load-%d-%d", room, member)
	properties := "\x00"
	if *persistent {
		properties = "\x05\x11\x00\x00\x0e\x10" // Session Expiry Interval 3600 s
	}
	connect := append([]byte("\x00\x04MQTT\x05\x02\x02\x58"+properties), field(id)...) // Clean Start, keep-alive 600 s
	subscribe := append([]byte("\x00\x01\x00"), append(field(c.topic), 1)...)
	for _, p := range []struct {
		first, answer byte
		body          []byte
	}{{0x10, 0x20, connect}, {0x82, 0x90, subscribe}} {
		if _, err := c.conn.Write(append([]byte{p.first, byte(len(p.body))}, p.body...)); err != nil {
			return nil, err
		}
		first, body, err := c.next()
		if err != nil || first != p.answer || p.answer == 0x20 && body[1] != 0 || p.answer == 0x90 && body[len(body)-1] != 1 {
			return nil, fmt.Errorf("received the packet %x % x: %v", first, body, err)
		}
	}
	return c, nil
}

// field encodes a UTF-8 string.
func field(s string) []byte { return append([]byte{0, byte(len(s))}, s...) }

// next reads a packet. The body is valid until the next call.
func (c *client) next() (first byte, body []byte, err error) {
	if first, err = c.reader.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(c.reader) // has the encoding of a Variable Byte Integer
	if err != nil {
		return 0, nil, err
	}
	if body, err = c.reader.Peek(int(length)); err != nil {
		return 0, nil, err
	}
	_, err = c.reader.Discard(int(length))
	return first, body, err
}

// publish publishes a message with QoS 1.
func (c *client) publish() error {
	n := c.sent.Add(1)
	body := binary.BigEndian.AppendUint16(field(c.topic), uint16(n%0xffff+1))
	body = append(body, 0) // no properties
	payload := make([]byte, payloadSize)
	binary.BigEndian.PutUint64(payload, uint64(c.member))
	binary.BigEndian.PutUint64(payload[8:], uint64(n))
	binary.BigEndian.PutUint64(payload[16:], uint64(time.Now().UnixNano()))
	body = append(body, payload...)
	packet := append(binary.AppendUvarint([]byte{0x32}, uint64(len(body))), body...)
	_, err := c.conn.Write(packet)
	return err
}

// receive acknowledges messages until the connection ends. It fails if a message is missing, twice, or
// not in order.
func (c *client) receive(members int) {
	last := make([]uint64, members)
	var acks []byte
	for {
		first, body, err := c.next()
		switch {
		case err != nil:
		case first>>4 == 4:
			if len(body) > 2 && body[2] != 0 {
				err = fmt.Errorf("PUBACK 0x%02X", body[2])
			}
			c.acked.Add(1)
		case first == 0x32:
			at := 2 + len(c.topic)
			acks = append(acks, 0x40, 2, body[at], body[at+1])
			payload := body[len(body)-payloadSize:]
			member, n := binary.BigEndian.Uint64(payload), binary.BigEndian.Uint64(payload[8:])
			if n != last[member]+1 {
				err = fmt.Errorf("received message %d of member %d after message %d", n, member, last[member])
			}
			last[member] = n
			c.latencies = append(c.latencies, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(payload[16:])))))
			c.received.Add(1)
		default:
			err = fmt.Errorf("received the packet %x % x", first, body)
		}
		if err == nil && len(acks) > 0 && c.reader.Buffered() == 0 {
			_, err = c.conn.Write(acks)
			acks = acks[:0]
		}
		if err != nil {
			// Closing the connection can interrupt each read and write.
			if !c.closing.Load() {
				c.failure = err
			}
			return
		}
	}
}
