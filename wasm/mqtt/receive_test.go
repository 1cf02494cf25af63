package mqtt

import (
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestReceivedMessages(t *testing.T) {
	p := connectedPeer(t, nil)
	in := func(qos byte, id uint16, payload string, dup bool) {
		p.receivePacket(packets.PUBLISH, &packets.Publish{Topic: "t", Payload: []byte(payload), QoS: qos, PacketID: id, Duplicate: dup, Properties: noProperties()})
	}
	in(0, 0, "a", false)
	in(1, 5, "b", false)
	in(1, 5, "b", true) // QoS 1: delivered again
	in(2, 6, "c", false)
	in(2, 6, "c", true) // QoS 2: not delivered again
	p.expectSent("PUBACK(#5 0); PUBACK(#5 0); PUBREC(#6 0); PUBREC(#6 0)")
	p.expectEvents("message t=a q0 rfalse dfalse ; message t=b q1 rfalse dfalse ; message t=b q1 rfalse dtrue ; message t=c q2 rfalse dfalse ")
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 6, Properties: noProperties()})
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 6, Properties: noProperties()})
	p.expectSent("PUBCOMP(#6 0); PUBCOMP(#6 92)")
	in(2, 6, "d", false)
	p.expectEvents("message t=d q2 rfalse dfalse ")
}

func TestReceivedQoS2IsKnownAfterReconnect(t *testing.T) {
	p := connectedPeer(t, nil)
	m := &packets.Publish{Topic: "t", Payload: []byte("x"), QoS: 2, PacketID: 9, Properties: noProperties()}
	p.receivePacket(packets.PUBLISH, m)
	p.events()
	p.reconnect(true, nil)
	p.events()
	m.Duplicate = true
	p.receivePacket(packets.PUBLISH, m)
	p.expectSent("PUBREC(#9 0)")
	p.expectEvents("")
	p.receivePacket(packets.PUBREL, &packets.Pubrel{PacketID: 9, Properties: noProperties()})
	p.expectSent("PUBCOMP(#9 0)")
}
