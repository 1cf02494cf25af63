package broker

import (
	"bytes"
	"encoding/binary"
	"math"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// flowControl corrects how mochi-mqtt handles packet identifiers and flow control on one connection:
//
//   - mochi-mqtt stores the identifiers of both directions in one map. If both sides use the same
//     identifier, it refuses a SUBSCRIBE with 0x91 and drops a message in flight [MQTT-2.2.1].
//     flowControl therefore renumbers packets from the client to identifiers that mochi-mqtt does not
//     use. It does not renumber QoS 2 messages, because AWS IoT does not support QoS 2.
//   - mochi-mqtt does not increase its send quota when the client acknowledges a message that was
//     delayed by the quota. It stops sending when the quota is 0. It also ignores the quota when it
//     resends the messages of a session. OnConnect therefore disables the quota of mochi-mqtt, and
//     flowControl delays messages after mochi-mqtt has written them [MQTT-3.3.4-9].
//   - mochi-mqtt does not remove a message in flight that is larger than the client accepts, and can
//     then not resume the session. flowControl drops such a message [MQTT-3.1.2-25].
//
// A connection has the zero flowControl before its CONNECT.
type flowControl struct {
	client            *mqtt.Client
	receiveMaximum    int
	maximumPacketSize int // bytes

	unacknowledged map[uint16]struct{} // identifiers of the QoS 1 and 2 messages sent to the client
	waiting        [][]byte            // PUBLISH packets that receiveMaximum delays

	// requestID is the client's identifier of the packet that mochi-mqtt is processing, or 0.
	requestID uint16
}

// newFlowControl returns the flowControl of a client after its CONNECT.
func newFlowControl(cl *mqtt.Client) flowControl {
	f := flowControl{
		client:            cl,
		receiveMaximum:    int(cl.Properties.Props.ReceiveMaximum),
		maximumPacketSize: int(cl.Properties.Props.MaximumPacketSize),
		unacknowledged:    make(map[uint16]struct{}),
	}
	if f.receiveMaximum == 0 {
		f.receiveMaximum = math.MaxUint16
	}
	if f.maximumPacketSize == 0 {
		f.maximumPacketSize = math.MaxInt
	}
	return f
}

// renumber replaces the identifier of a packet from the client. mochi-mqtt acknowledges the packet
// before it reads the next packet, so flowControl stores only one requestID.
func (f *flowControl) renumber(packet []byte) {
	id := packetID(packet)
	f.requestID = binary.BigEndian.Uint16(id)
	free := uint16(math.MaxUint16) // mochi-mqtt assigns its own identifiers from 1 upwards
	for inFlight := f.client.State.Inflight; ; free-- {
		if _, taken := inFlight.Get(free); !taken {
			break
		}
	}
	binary.BigEndian.PutUint16(id, free)
}

// restoreID returns an acknowledgement with the client's identifier. It returns nil if mochi-mqtt is
// processing no request: after a connection was lost, mochi-mqtt may send an acknowledgement again that
// the client does not expect.
func (f *flowControl) restoreID(ack []byte) []byte {
	if f.requestID == 0 {
		return nil
	}
	ack = bytes.Clone(ack)
	binary.BigEndian.PutUint16(packetID(ack), f.requestID)
	f.requestID = 0
	return ack
}

// send returns a PUBLISH that may be sent to the client now, or nil if it is delayed or dropped.
func (f *flowControl) send(packet []byte) []byte {
	id := packetID(packet)
	switch {
	case len(packet) > f.maximumPacketSize:
		if id != nil {
			f.client.State.Inflight.Delete(binary.BigEndian.Uint16(id))
		}
		return nil
	case id == nil:
		return packet
	case len(f.unacknowledged) >= f.receiveMaximum:
		f.waiting = append(f.waiting, bytes.Clone(packet))
		return nil
	}
	f.unacknowledged[binary.BigEndian.Uint16(id)] = struct{}{}
	return packet
}

// acknowledge records that the client has acknowledged a message. It returns the next delayed PUBLISH,
// or nil if none may be sent. An unknown identifier has no effect.
func (f *flowControl) acknowledge(id uint16) []byte {
	delete(f.unacknowledged, id)
	if len(f.waiting) == 0 || len(f.unacknowledged) >= f.receiveMaximum {
		return nil
	}
	next := f.waiting[0]
	f.waiting = f.waiting[1:]
	return f.send(next)
}

// body returns the bytes after the fixed header of a whole packet.
func body(packet []byte) []byte {
	i := 1
	for packet[i] >= 0x80 {
		i++
	}
	return packet[i+1:]
}

// packetID returns the two bytes of a packet's identifier, or nil for a PUBLISH with QoS 0. The packet
// must be of a type that has an identifier.
func packetID(packet []byte) []byte {
	b := body(packet)
	if packet[0]>>4 != packets.Publish {
		return b[:2]
	}
	if packet[0]&0b0110 == 0 {
		return nil
	}
	b = b[2+binary.BigEndian.Uint16(b):]
	return b[:2]
}
