package main

import (
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
