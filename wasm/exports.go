//go:build js && wasm

// staticcheck does not know of wasmexport.
//lint:file-ignore U1000 these are called from JavaScript

package main

import (
	"encoding/binary"
	"unsafe"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
)

// headerAddress is where the header is.
//
//go:wasmexport iot_header
func headerAddress() uint32 { return uint32(uintptr(unsafe.Pointer(&header))) }

// inputAddress is where n bytes for the next call may be written.
//
//go:wasmexport iot_input
func inputAddress(n uint32) uint32 {
	const spare = 1 << 20
	if uint64(n) > uint64(cap(input)) || (cap(input) > spare && n < spare/4) {
		input = make([]byte, max(n, 1<<16))
	}
	input = input[:cap(input)]
	return address(input)
}

// receive takes a WebSocket message of n bytes from the input.
//
//go:wasmexport iot_receive
func receive(id, attempt, n uint32, now float64) {
	c := clients[id]
	begin()
	defer end(c)
	if c != nil {
		c.Receive(clock(now), attempt, input[:n])
	}
}

// publish takes a message from the input: topic, options and payload, one behind
// the other. flags hold the QoS, and 4 for retain. It returns 1 when the message
// has QoS 0 and goes out with this turn; otherwise the token is settled.
//
//go:wasmexport iot_publish
func publish(id, token, topicLen, optionsLen, payloadLen, flags uint32, now float64) (sent uint32) {
	c := clients[id]
	begin()
	defer end(c)
	if c == nil {
		return 0
	}
	rest := input[topicLen:]
	m := mqtt.Outgoing{
		Token: mqtt.Token(token), Topic: input[:topicLen],
		QoS: byte(flags & 3), Retain: flags&4 != 0,
		Payload: rest[optionsLen : optionsLen+payloadLen],
	}
	if optionsLen > 0 {
		var ok bool
		if propertyBuffer, ok = properties(propertyBuffer[:0], rest[:optionsLen]); !ok {
			host{}.Done(m.Token, tooLong)
			return 0
		}
		m.Properties = propertyBuffer
	}
	if c.Publish(clock(now), &m) {
		return 1
	}
	return 0
}

var (
	propertyBuffer []byte
	tooLong        = &client.Error{Class: client.RangeError, Code: "ERR_OPTION",
		Message: "publish options: a text or correlationData is longer than MQTT's 65,535 bytes"}
)

// properties turns publish options, as www/iot/publish.js writes them, into MQTT's
// form: for each an id and one or two fields, a field being a little-endian
// 32-bit number, or that many bytes behind it.
func properties(b, options []byte) (_ []byte, ok bool) {
	field := func() (data []byte) {
		n := binary.LittleEndian.Uint32(options)
		data, options = options[4:4+n], options[4+n:]
		if n > 65535 {
			ok = false
			data = nil
		}
		return data
	}
	ok = true
	for len(options) > 0 {
		p := mqtt.Property{ID: mqtt.PropertyID(options[0])}
		options = options[1:]
		switch p.ID {
		case mqtt.PayloadFormat, mqtt.MessageExpiry:
			p.Number = binary.LittleEndian.Uint32(options)
			options = options[4:]
		case mqtt.UserProperty:
			p.Data, p.Value = field(), field()
		default:
			p.Data = field()
		}
		b = mqtt.AppendProperty(b, p)
	}
	return b, ok
}

// turn ends a turn of the page's event loop: it acts on the time, and collects
// what there is to send.
//
//go:wasmexport iot_turn
func turn(id uint32, now float64) {
	c := clients[id]
	begin()
	defer end(c)
	if c != nil {
		c.Tick(clock(now))
		out := c.Output()
		header.outAddr, header.outLen = address(out), uint32(len(out))
	}
}

// flushed says that the output the header named has been sent.
//
//go:wasmexport iot_flushed
func flushed(id uint32, now float64) {
	defer func() {
		if r := recover(); r != nil {
			panicked(r)
		}
	}()
	if c := clients[id]; c != nil {
		c.Flushed(clock(now))
	}
}
