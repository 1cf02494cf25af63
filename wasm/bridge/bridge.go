package bridge

import (
	"fmt"
	"math"
	"time"

	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// A Bridge serves all clients of a page. It must not be copied: JavaScript knows the
// address of its header.
type Bridge struct {
	Header abi.Header

	rand     func() float64
	clients  map[uint32]*client.Client
	lastID   uint32
	table    abi.Table
	input    []byte              // where JavaScript writes the bytes of a call
	topic    [abi.TopicSize]byte // where JavaScript writes the topic of a publish; it stays for the next one
	outgoing mqtt.Outgoing
}

// New makes a bridge. rand returns random numbers in [0,1).
func New(rand func() float64) *Bridge {
	b := &Bridge{rand: rand, clients: map[uint32]*client.Client{}}
	b.Header.TopicAddress = abi.Address(b.topic[:])
	return b
}

// Input makes room for n bytes of the following calls, and returns its address.
func (b *Bridge) Input(n uint32) (address uint32) {
	b.input = make([]byte, n)
	return abi.Address(b.input)
}

// Receive takes n bytes of a WebSocket message from the input. now is in ms of
// performance.now(), as all times that JavaScript passes.
func (b *Bridge) Receive(id, attempt, n uint32, now float64) {
	defer b.recovered()
	b.table.Reset()
	c := b.clients[id]
	if c != nil {
		c.Receive(duration(now), attempt, b.input[:n])
	}
	b.end(c)
}

// Publish takes a message: topicLen bytes of the topic memory, and from the input
// optionsLen bytes of MQTT properties (section 2.2.2.2), followed by the payload. It
// returns [abi.Sent], or 0.
func (b *Bridge) Publish(id, token, topicLen, optionsLen, payloadLen uint32, qos float64, retain uint32, now float64) (sent uint32) {
	defer b.recovered()
	b.table.Reset()
	c := b.clients[id]
	if c == nil {
		b.end(nil)
		return 0
	}
	b.outgoing = mqtt.Outgoing{
		Token: mqtt.Token(token), Topic: b.topic[:topicLen], QoS: small(qos), Retain: retain != 0,
		Properties: b.input[:optionsLen], Payload: b.input[optionsLen : optionsLen+payloadLen],
	}
	if c.Publish(duration(now), &b.outgoing) && len(b.table.Words()) == 0 {
		return abi.Sent
	}
	b.end(c)
	return 0
}

// Turn ends a turn of the page's event loop: the client acts on the time, and the
// header says which bytes to send. arrival is when bytes last arrived, including
// bytes that Receive has not been given. buffered is the socket's bufferedAmount.
func (b *Bridge) Turn(id uint32, now, arrival float64, buffered uint32) {
	defer b.recovered()
	b.table.Reset()
	b.Header.OutputLength = 0
	c := b.clients[id]
	if c != nil {
		c.LastArrival(duration(arrival))
		c.Buffered(duration(now), int(buffered))
		c.Tick(duration(now))
		c.PrepareOutput()
		b.output(c)
	}
	b.end(c)
}

// Flushed reports that the socket has been given n bytes of the output. The header
// says which bytes to send next. The records of the turn stay.
func (b *Bridge) Flushed(id, n uint32, now float64) {
	defer b.recovered()
	c := b.clients[id]
	if c != nil {
		c.Flushed(duration(now), int(n))
		b.output(c)
	}
	b.end(c)
}

func (b *Bridge) output(c *client.Client) {
	out := c.Output()
	b.Header.OutputAddress, b.Header.OutputLength = abi.Address(out), uint32(len(out))
}

// end completes the header for the client c, which may be nil.
func (b *Bridge) end(c *client.Client) {
	h := &b.Header
	if c != nil {
		h.Pending = abi.PendingNothing
		switch something, now := c.Pending(); {
		case now:
			h.Pending = abi.PendingReady
		case something:
			h.Pending = abi.PendingBlocked
		}
		h.Deadline = math.Inf(1)
		if d := c.Deadline(); d != mqtt.Never {
			h.Deadline = milliseconds(d)
		}
	}
	words := b.table.Words()
	h.TableAddress, h.TableLength = abi.Address(words), uint32(len(words))
}

// recovered, deferred, turns a panic into a report in the header. The state of the
// clients is unknown then, so JavaScript calls the wasm no more.
func (b *Bridge) recovered() {
	if r := recover(); r != nil {
		text := []byte(fmt.Sprint(r))
		b.table.Keep(text)
		b.Header.CrashAddress, b.Header.CrashLength = abi.Address(text), uint32(max(1, len(text)))
		b.Header.TableLength = 0
	}
}

// duration converts milliseconds. Values beyond the range of a Duration become its
// bounds.
func duration(ms float64) time.Duration {
	ns := ms * float64(time.Millisecond)
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(ns)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// small converts a number to a byte. Numbers that are not a byte become 255, which
// no operation accepts.
func small(n float64) byte {
	if n >= 0 && n < math.MaxUint8 && n == math.Trunc(n) {
		return byte(n)
	}
	return math.MaxUint8
}
