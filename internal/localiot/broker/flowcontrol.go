package broker

import (
	"bytes"
	"encoding/binary"
	"math"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// flow does for one connection what the broker gets wrong about packet identifiers and flow control:
//
//   - The broker keeps the identifiers of both directions in one map, so that when both sides happen
//     to use the same number a SUBSCRIBE is refused (0x91) and a message in flight is forgotten
//     [MQTT-2.2.1]. Here, packets from the client come to it under a number that it does not use.
//   - It never gives back the send quota of a message that had to wait for it, and stalls once all
//     of it is lost; and it resends a session's messages without regard to it. Here, messages wait
//     after the broker has written them [MQTT-3.3.4-9].
//   - A message larger than the client accepts stays in flight, and its session can never be resumed
//     again. Here, it is dropped [MQTT-3.1.2-25].
//
// Identifiers of QoS 2 messages from a client, which AWS IoT does not have, stay as they are.
type flow struct {
	client            *mqtt.Client // set, as the two below, by its CONNECT
	receiveMaximum    int
	maximumPacketSize int

	unacknowledged map[uint16]struct{} // the QoS 1 and 2 messages that the client has been sent
	held           [][]byte            // those that wait until it has acknowledged some

	asked uint16 // what the client called the packet that the broker deals with now, or 0
}

func newFlow(cl *mqtt.Client) flow {
	f := flow{
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

// ask renumbers a packet from the client. The broker answers it before it reads the next.
func (f *flow) ask(packet []byte) {
	id := packetID(packet)
	f.asked = binary.BigEndian.Uint16(id)
	free := uint16(math.MaxUint16) // the broker counts from 1
	for inFlight := f.client.State.Inflight; ; free-- {
		if _, taken := inFlight.Get(free); !taken {
			break
		}
	}
	binary.BigEndian.PutUint16(id, free)
}

// answer returns an acknowledgement under the client's number, or nil when nothing was asked: after
// a lost connection the broker may repeat one that the client no longer waits for.
func (f *flow) answer(packet []byte) []byte {
	if f.asked == 0 {
		return nil
	}
	packet = bytes.Clone(packet)
	binary.BigEndian.PutUint16(packetID(packet), f.asked)
	f.asked = 0
	return packet
}

// send returns a PUBLISH for the client, or nil when it must wait or cannot be sent at all.
func (f *flow) send(packet []byte) []byte {
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
		f.held = append(f.held, bytes.Clone(packet))
		return nil
	}
	f.unacknowledged[binary.BigEndian.Uint16(id)] = struct{}{}
	return packet
}

// acknowledged returns the next PUBLISH that has waited, if one may be sent now.
func (f *flow) acknowledged(id uint16) []byte {
	delete(f.unacknowledged, id)
	if len(f.held) == 0 {
		return nil
	}
	next := f.held[0]
	f.held = f.held[1:]
	return f.send(next)
}

// body returns what follows the fixed header of a whole packet.
func body(packet []byte) []byte {
	i := 1
	for packet[i] >= 0x80 {
		i++
	}
	return packet[i+1:]
}

// packetID returns the two bytes of a packet's identifier, or nil for a QoS 0 PUBLISH. It must not
// be asked for packets of a type without one.
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
