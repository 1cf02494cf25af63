package mqtt

import (
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestOutboundAliases(t *testing.T) {
	two := func(pr *packets.Properties) { pr.TopicAliasMaximum = new(uint16(2)) }
	p := connectedPeer(t, two)
	for _, topic := range []string{"long/one", "long/one", "long/two", "long/one", "long/three", "long/one", "long/two", "x"} {
		p.publishText(1, 0, topic, "")
	}
	p.expectSent("PUBLISH(long/one= q0 alias=1); PUBLISH(= q0 alias=1); PUBLISH(long/two= q0 alias=2); PUBLISH(= q0 alias=1); " +
		"PUBLISH(long/three= q0); PUBLISH(= q0 alias=1); PUBLISH(= q0 alias=2); PUBLISH(x= q0)")
	for range aliasIdle { // then the alias of long/two may be reassigned
		p.publishText(1, 0, "long/one", "")
	}
	p.takePackets()
	p.publishText(1, 0, "long/three", "")
	p.publishText(1, 0, "long/two", "")
	p.publishText(1, 0, "long/three", "")
	p.expectSent("PUBLISH(long/three= q0 alias=2); PUBLISH(long/two= q0); PUBLISH(= q0 alias=2)")
	p.publishText(2, 1, "long/one", "q")
	p.expectSent("PUBLISH(=q q1 #1 alias=1)")
	p.reconnect(true, two) // aliases end with the connection [MQTT-3.3.2-7]
	p.expectSent("PUBLISH(long/one=q q1 #1 dup alias=1)")
}

func TestInboundAliases(t *testing.T) {
	p := connectedPeer(t, nil)
	in := func(topic string, alias uint16) {
		p.receivePacket(packets.PUBLISH, &packets.Publish{Topic: topic, Properties: &packets.Properties{TopicAlias: &alias}})
	}
	in("a/b", 5)
	in("", 5)
	in("c", 5)
	in("", 5)
	p.expectEvents("message a/b= q0 rfalse dfalse 35=5; message a/b= q0 rfalse dfalse 35=5; message c= q0 rfalse dfalse 35=5; message c= q0 rfalse dfalse 35=5")
	p.reconnect(true, nil)
	p.events()
	in("", 5)
	p.expectEvents("stopped protocol error (0x82) local=true")
}
