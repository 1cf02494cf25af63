package mqtt

import (
	"time"
)

const (
	// maxOtherPacket is the largest packet other than a PUBLISH that the client
	// accepts, in bytes. A valid packet exceeds it only by its user properties.
	maxOtherPacket = 512 << 10
	// maxProperties is the largest property section that the client accepts, in
	// bytes.
	maxProperties = 1 << 20
	// maxRepeatedProperties limits the user properties and subscription identifiers of
	// a packet, counted together. Each user property becomes two JavaScript strings.
	maxRepeatedProperties = 1000
	// minPacketSize is the smallest Maximum Packet Size of a server that the client
	// accepts: the size of an acknowledgement with a reason code.
	minPacketSize = 5
	// minSkip is the least number of bytes of a payload that ReceivePart skips. For fewer
	// bytes, a further call takes longer than a copy.
	minSkip = 8 << 10
)

// Receive processes bytes from the server. data may contain several packets, and may
// begin and end within a packet. Receive allocates memory for bytes that have
// arrived, not for the length that a packet announces.
func (e *Engine) Receive(now time.Duration, data []byte) { e.ReceivePart(now, data, 0) }

// ReceivePart is like Receive for a part of the bytes that have arrived: the caller has rest
// further bytes, which follow data. The result is the number of processed bytes, from the
// start of data. The caller continues with the byte after them.
//
// The result is more than len(data) if the engine does not need the rest of a payload
// (see [Publish.Missing]), or if the connection has ended. The result is less than
// len(data), but not 0, if data ends within a packet. The next part then begins with this
// packet, and should be larger. The engine therefore needs no copy of the packet.
func (e *Engine) ReceivePart(now time.Duration, data []byte, rest int) (processed int) {
	if e.state == offline || e.state == stopped {
		return len(data) + rest
	}
	e.now, e.lastReceived, e.receivePending = now, now, false
	e.noteReceived()
	if len(e.partial) == 0 && cap(e.assembled) <= 1<<16 {
		e.partial = e.assembled[:0]
	}
	e.assembled = nil
	left := data
	for len(left) > 0 && e.state != stopped {
		if len(e.partial) > 0 {
			left = e.completePacket(left)
			continue
		}
		if e.state == connected {
			if size := decodeSimplePublish(&e.inbound, left); size > 0 && uint32(size)-1 < e.options.MaximumPacketSize-1 {
				if e.inbound.QoS == 0 {
					e.handler.Message(&e.inbound)
				} else if err := e.receivePublish(&e.inbound); err != nil {
					e.fail(err)
				}
				left = left[size:]
				continue
			}
		}
		header, size, err := e.packetSize(left)
		if err != nil {
			e.fail(err)
			break
		}
		if size == 0 || size > len(left) {
			if missing := size - len(left); missing <= rest && missing >= e.minSkip && e.skipPayload(left, header, missing) {
				left = nil
				rest -= missing
				processed = missing
				break
			}
			if rest > 0 && len(left) < len(data) {
				return len(data) - len(left)
			}
			e.partial = append(e.partial, left...)
			break
		}
		e.handlePacket(left[:size:size], header)
		left = left[size:]
	}
	if e.state == stopped {
		processed += rest
	}
	return processed + len(data)
}

// skipPayload processes a PUBLISH without the last bytes of its payload. missing is their
// number. p is the packet without them, and header is the size of its fixed header.
// skipPayload returns false, and does nothing, if the engine needs these bytes.
func (e *Engine) skipPayload(p []byte, header, missing int) bool {
	m := &e.inbound
	if packetType(p[0]>>4) != typePublish || !completeHeader(p[0]&15, p[header:]) {
		return false
	}
	err := decodePublish(m, p[0]&15, p[header:])
	if err == nil {
		err = e.resolveTopic(m)
	}
	if err == nil {
		m.Packet, m.Missing = p, missing
		if e.handler.NeedsPayload(m) {
			return false
		}
		err = e.receivePublish(m)
	}
	if err != nil {
		e.fail(err)
	}
	return true
}

// Partial returns the received part of an incomplete packet. It is valid until the next
// call of Receive.
func (e *Engine) Partial() []byte { return e.partial }

// completePacket moves bytes from data to e.partial. When e.partial is a whole
// packet, completePacket processes it. rest is the rest of data.
func (e *Engine) completePacket(data []byte) (rest []byte) {
	header, size, err := e.packetSize(e.partial)
	for err == nil && size == 0 && len(data) > 0 {
		e.partial, data = append(e.partial, data[0]), data[1:]
		header, size, err = e.packetSize(e.partial)
	}
	if err != nil {
		e.fail(err)
		return nil
	}
	if size == 0 {
		return data
	}
	n := min(size-len(e.partial), len(data))
	if have := len(e.partial); have+n > cap(e.partial) {
		// append would grow the buffer by a quarter each time and leave five times the
		// size of the packet as garbage.
		e.partial = append(make([]byte, 0, min(size, max(2*have, have+n))), e.partial...)
	}
	e.partial, data = append(e.partial, data[:n]...), data[n:]
	if len(e.partial) == size {
		// Receive must not reuse the buffer before it returns, because the slices of a
		// Publish refer to the buffer. The next Receive may reuse it.
		e.assembled, e.partial = e.partial, nil
		e.handlePacket(e.assembled, header)
	}
	return data
}

// packetSize returns the sizes of the fixed header and of the packet at the start of b,
// in bytes. It returns 0 when b does not contain the whole fixed header. It checks the
// fixed header, so that the engine rejects an invalid packet before the body of the
// packet arrives.
func (e *Engine) packetSize(b []byte) (header, size int, err *connectionFault) {
	t, flags := packetType(b[0]>>4), b[0]&15
	switch t {
	case typeConnack:
		if e.state == connected {
			return 0, 0, violation(ProtocolError, "a second CONNACK")
		}
	case typePublish, typePuback, typePubrec, typePubrel, typePubcomp, typeSuback, typeUnsuback, typePingresp, typeDisconnect:
		if e.state == connecting {
			return 0, 0, violation(ProtocolError, "%v before CONNACK", t) // [MQTT-3.2.0-1] [MQTT-3.14.0-1]
		}
	case typeAuth:
		return 0, 0, violation(ProtocolError, "AUTH without an authentication method in CONNECT") // [MQTT-4.12.0-6]
	case 0:
		return 0, 0, malformed("packet type 0")
	default:
		return 0, 0, violation(ProtocolError, "a server must not send %v", t)
	}
	want := byte(0)
	if t == typePubrel {
		want = 2
	}
	if t != typePublish && flags != want {
		return 0, 0, malformed("%v with flags %#x", t, flags) // [MQTT-2.1.3-1]
	}
	n, used := readVarint(b[1:])
	if used < 0 {
		return 0, 0, malformed("%v: invalid remaining length", t)
	}
	if used == 0 {
		return 0, 0, nil
	}
	size = 1 + used + int(n)
	if limit := e.options.MaximumPacketSize; limit != 0 && uint64(size) > uint64(limit) {
		return 0, 0, violation(PacketTooLarge, "%v of %d bytes; the maximum is %d", t, size, limit)
	}
	if t != typePublish && size > maxOtherPacket {
		return 0, 0, violation(QuotaExceeded, "%v of %d bytes; the client accepts %d", t, size, maxOtherPacket)
	}
	return 1 + used, size, nil
}

// handlePacket processes a whole packet. header is the size of its fixed header.
func (e *Engine) handlePacket(p []byte, header int) {
	body := p[header:]
	var err *connectionFault
	switch t := packetType(p[0] >> 4); t {
	case typePublish:
		if err = decodePublish(&e.inbound, p[0]&15, body); err == nil {
			e.inbound.Packet = p
			if err = e.resolveTopic(&e.inbound); err == nil {
				err = e.receivePublish(&e.inbound)
			}
		}
	case typePuback, typePubrec, typePubrel, typePubcomp:
		var a ack
		if a, err = decodeAck(t, body); err == nil {
			if err = e.receiveAck(t, a); err == nil {
				err = e.checkAckBacklog()
			}
		}
	case typeConnack:
		err = e.receiveConnack(body)
	case typeSuback, typeUnsuback:
		err = e.receiveSuback(t, body)
	case typePingresp:
		if len(body) > 0 {
			err = malformed("PINGRESP with a body")
		}
		e.roundTrip.answered(e.lastReceived)
	case typeDisconnect:
		var stopErr *StopError
		if stopErr, err = decodeDisconnect(body); err == nil {
			e.stop(stopErr)
		}
	}
	if err != nil {
		e.fail(err)
	}
}
