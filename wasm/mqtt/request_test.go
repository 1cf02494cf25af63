package mqtt

import (
	"errors"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestSubscribe(t *testing.T) {
	p := connectedPeer(t, nil)
	if err := p.Subscribe(p.now, 1, []Subscription{{Filter: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}, {Filter: "b/#"}}, []UserPair{{"k", "v"}}); err != nil {
		t.Fatal(err)
	}
	s := p.takePackets()[0].Content.(*packets.Subscribe)
	want := []packets.SubOptions{{Topic: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}, {Topic: "b/#"}}
	if !slices.Equal(s.Subscriptions, want) || s.Properties.User[0].Value != "v" {
		t.Errorf("SUBSCRIBE is %v, want the subscriptions %v", s, want)
	}
	p.receivePacket(packets.SUBACK, &packets.Suback{PacketID: 1, Reasons: []byte{1, 0x87}, Properties: &packets.Properties{ReasonString: "why"}})
	p.expectEvents("subscribed 1 0187 why")
	if err := p.Unsubscribe(p.now, 2, []string{"a", "b/#"}); err != nil {
		t.Fatal(err)
	}
	p.expectSent("UNSUBSCRIBE a b/#")
	p.receivePacket(packets.UNSUBACK, &packets.Unsuback{PacketID: 2, Reasons: []byte{0, 0x11}, Properties: noProperties()})
	p.expectEvents("unsubscribed 2 0011 ")
	_ = p.Subscribe(p.now, 3, []Subscription{{Filter: "c"}}, nil)
	p.Lost()
	p.expectEvents("subscribed 3  the connection was lost before an answer")
	if err := p.Subscribe(p.now, 4, []Subscription{{Filter: "c"}}, nil); !errors.Is(err, errOffline) {
		t.Error(err)
	}
}
