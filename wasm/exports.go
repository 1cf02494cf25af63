//go:build js && wasm

// staticcheck does not know of wasmexport.
//lint:file-ignore U1000 these are called from JavaScript

package main

import (
	"unsafe"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// headerAddress is where the header is.
//
//go:wasmexport iot_header
func headerAddress() uint32 {
	header.topicAddr = address(topic[:])
	return uint32(uintptr(unsafe.Pointer(&header)))
}

// inputAddress makes room for n bytes of the next calls, and is where it is.
//
//go:wasmexport iot_input
func inputAddress(n uint32) uint32 {
	input = make([]byte, n)
	return address(input)
}

// receive takes n bytes of a WebSocket message from the input.
//
//go:wasmexport iot_receive
func receive(id, attempt, n uint32, now float64) {
	defer caught()
	begin()
	c := clients[id]
	if c != nil {
		c.Receive(clock(now), attempt, input[:n])
	}
	end(c)
}

var outgoing mqtt.Outgoing

// publish takes a message: its topic, and from the input its options, as MQTT's
// properties, and behind them its payload. flags hold the QoS, and 4 for retain.
// It returns 1 when the message has QoS 0 and goes out with this turn, and nothing
// else has happened; otherwise the token is settled, and the header filled.
//
//go:wasmexport iot_publish
func publish(id, token, topicLen, optionsLen, payloadLen, flags uint32, now float64) (sent uint32) {
	defer caught()
	begin()
	c := clients[id]
	if c == nil {
		end(nil)
		return 0
	}
	outgoing = mqtt.Outgoing{
		Token: mqtt.Token(token), Topic: topic[:topicLen],
		QoS: byte(flags & 3), Retain: flags&4 != 0,
		Properties: input[:optionsLen], Payload: input[optionsLen : optionsLen+payloadLen],
	}
	if c.Publish(clock(now), &outgoing) && len(table) == 0 {
		return 1
	}
	end(c)
	return 0
}

// turn ends a turn of the page's event loop: it acts on the time, and names in the
// header what may be sent now. heard is when bytes last came, also those that wait
// for receive; buffered is how many bytes the socket has not sent yet.
//
//go:wasmexport iot_turn
func turn(id uint32, now, heard float64, buffered uint32) {
	defer caught()
	begin()
	c := clients[id]
	header.outLen = 0
	if c != nil {
		c.Heard(clock(heard))
		c.Buffered(clock(now), int(buffered))
		c.Tick(clock(now))
		c.PrepareOutput()
		output(c)
	}
	end(c)
}

func output(c *client.Client) {
	out := c.Output()
	header.outAddr, header.outLen = address(out), uint32(len(out))
}

// flushed says that n bytes of the output that the header named have been given to
// the socket. The header names what may be sent next. The records of this call
// follow those of the turn.
//
//go:wasmexport iot_flushed
func flushed(id, n uint32, now float64) {
	defer caught()
	c := clients[id]
	if c != nil {
		c.Flushed(clock(now), int(n))
		output(c)
	}
	end(c)
}
