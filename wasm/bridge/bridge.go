package bridge

import (
	"fmt"
	"math"
	"time"

	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// A Bridge contains all clients of a page. It must not be copied, because JavaScript
// keeps the address of Header.
//
// In its methods, id is the id of a client. A call for an id without a client does
// nothing. Times are in ms of performance.now(). Every method except Input recovers
// from a panic, and writes the text of the panic to the header.
type Bridge struct {
	// Header describes the client of the last call.
	Header abi.Header

	rand    func() float64
	clients map[uint32]*client.Client
	lastID  uint32
	// current is the client with the id currentID. Most pages have one client.
	current   *client.Client
	currentID uint32
	table     abi.Table
	input     []byte // JavaScript writes the bytes of a call to it
	// topic is the topic of a publish. JavaScript writes it, unless the topic is that
	// of the last publish.
	topic    [abi.TopicSize]byte
	outgoing mqtt.Outgoing
}

const (
	// maxPart is the largest value of [abi.Header.Part].
	maxPart = 1 << 20
	// startPart is the value of [abi.Header.Part] after large messages. It is enough for the
	// start of a packet, and the client may then skip the rest of the payload. After a part
	// that was not enough, the next one is large again.
	startPart = 1 << 10
)

// New returns a bridge without clients. rand returns random numbers in [0,1).
func New(rand func() float64) *Bridge {
	b := &Bridge{rand: rand, clients: map[uint32]*client.Client{}}
	b.Header.TopicAddress = abi.Address(b.topic[:])
	b.Header.Part = maxPart
	return b
}

// client returns the client with this id, or nil. A map lookup takes longer than the
// comparison.
func (b *Bridge) client(id uint32) *client.Client {
	if b.current == nil || id != b.currentID {
		b.current, b.currentID = b.clients[id], id
	}
	return b.current
}

// never is the value of [abi.Header.Deadline] without a deadline. In the wasm, math.Inf is a
// call.
var never = math.Inf(1)

// Input allocates n bytes for the input, and returns their address. JavaScript writes the
// bytes of a call to the input. The new input replaces the previous one.
func (b *Bridge) Input(n uint32) (address uint32) {
	b.input = make([]byte, n)
	return abi.Address(b.input)
}

// Receive processes a part of a WebSocket message: n bytes, which are at the start of the
// input. rest further bytes follow them in the message. attempt is the number of the attempt
// whose socket received the message. The result is the number of processed bytes of the
// message. The next call begins after them: see [client.Client.Receive].
func (b *Bridge) Receive(id, attempt, n, rest uint32, now float64) (processed uint32) {
	defer b.recoverPanic()
	b.table.Reset()
	processed = n + rest
	c := b.client(id)
	if c != nil {
		processed = uint32(c.Receive(duration(now), attempt, b.input[:n], int(rest)))
	}
	b.setPart(n, rest, processed)
	b.completeHeader(c)
	return processed
}

// setPart determines how many bytes the next call of Receive gets. The parameters and the
// result of Receive show whether messages are large.
func (b *Bridge) setPart(n, rest, processed uint32) {
	switch {
	case processed > n:
		b.Header.Part = startPart
	case rest > 0:
		b.Header.Part = maxPart
	case n > startPart*uint32(abi.MessageWords+len(b.table.Words())): // for each message, more than 9 KiB
		b.Header.Part = startPart
	}
}

// Publish publishes a message. token identifies the promise of the publish(). The first
// topicLen bytes at Header.TopicAddress are the topic. The first propertiesLen bytes of
// the input are encoded MQTT properties (section 2.2.2.2), and the next payloadLen bytes
// are the payload. A qos that is not 0, 1 or 2 is an error of the message. retain is 0
// for false. The result is [abi.Sent], [abi.SentFull] or 0.
func (b *Bridge) Publish(id, token, topicLen, propertiesLen, payloadLen uint32, qos float64, retain uint32, now float64) (sent uint32) {
	defer b.recoverPanic()
	b.table.Reset()
	c := b.client(id)
	if c == nil {
		b.completeHeader(nil)
		return 0
	}
	b.outgoing = mqtt.Outgoing{
		Token: mqtt.Token(token), Topic: b.topic[:topicLen], QoS: toByte(qos), Retain: retain != 0,
		Properties: b.input[:propertiesLen], Payload: b.input[propertiesLen : propertiesLen+payloadLen],
	}
	if c.Publish(duration(now), &b.outgoing) {
		// Output that is not flushed yet means that JavaScript is sending it: the page's own
		// WebSocket class called publish() in send().
		if c.Full() && b.Header.OutputLength == 0 {
			b.setOutput(c)
			return abi.SentFull
		}
		return abi.Sent
	}
	b.completeHeader(c)
	return 0
}

// Turn ends a turn of the page's event loop. It runs the timers of the client, and
// writes the position of the bytes to send to the header. arrival is the time at which
// bytes last arrived, even if JavaScript has not called Receive for them yet. buffered
// is the socket's bufferedAmount in bytes.
func (b *Bridge) Turn(id uint32, now, arrival float64, buffered uint32) {
	defer b.recoverPanic()
	b.table.Reset()
	b.Header.OutputLength = 0
	c := b.client(id)
	if c != nil {
		c.LastArrival(duration(arrival))
		c.Buffered(duration(now), int(buffered))
		c.Tick(duration(now))
		c.PrepareOutput()
		b.setOutput(c)
	}
	b.completeHeader(c)
}

// Flushed reports that JavaScript has passed the first n bytes of the output to the
// socket. It writes the position of the next bytes to the header. Unlike the other
// calls, it keeps the records of the previous call, and appends to them.
func (b *Bridge) Flushed(id, n uint32, now float64) {
	defer b.recoverPanic()
	c := b.client(id)
	if c != nil {
		c.Flushed(duration(now), int(n))
		b.setOutput(c)
	}
	b.completeHeader(c)
}

// setOutput writes the position of the client's output to the header.
func (b *Bridge) setOutput(c *client.Client) {
	out := c.Output()
	b.Header.OutputAddress, b.Header.OutputLength = abi.Address(out), uint32(len(out))
}

// completeHeader writes the header at the end of a call for the client c, except for
// the output. If c is nil, it writes only the position of the table.
func (b *Bridge) completeHeader(c *client.Client) {
	h := &b.Header
	if c != nil {
		h.Pending = abi.PendingNothing
		switch unsent, now := c.Pending(); {
		case now:
			h.Pending = abi.PendingReady
		case unsent:
			h.Pending = abi.PendingBlocked
		}
		h.Deadline = never
		if d := c.Deadline(); d != mqtt.Never {
			h.Deadline = milliseconds(d)
		}
	}
	words := b.table.Words()
	h.TableAddress, h.TableLength = abi.Address(words), uint32(len(words))
}

// recoverPanic recovers from a panic, and writes the text of the panic to the header.
// Each method that JavaScript calls, except Input, defers it. After a panic the state of
// the clients is undefined, so JavaScript makes no further call.
func (b *Bridge) recoverPanic() {
	if r := recover(); r != nil {
		text := []byte(fmt.Sprint(r))
		b.table.Keep(text)
		b.Header.CrashAddress, b.Header.CrashLength = abi.Address(text), uint32(max(1, len(text)))
		b.Header.TableLength = 0
	}
}

// duration converts milliseconds. It limits the result to the range of a Duration.
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

// toByte converts n to a byte. If n is not a whole number from 0 to 254, the result is
// 255, which no option accepts.
func toByte(n float64) byte {
	if n >= 0 && n < math.MaxUint8 && n == math.Trunc(n) {
		return byte(n)
	}
	return math.MaxUint8
}
