package broker

import (
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestLogOmitsPackets(t *testing.T) {
	s := start(t, Options{})
	c, _ := s.connect("c", nil)
	p := packets.NewControlPacket(packets.CONNECT).Content.(*packets.Connect)
	p.ClientID, p.UsernameFlag, p.Username, p.PasswordFlag, p.Password = "c", true, "user-name", true, []byte("pass-word")
	c.Send(p) // a second CONNECT
	c.WantDisconnect(0x82)
	c, _ = s.connect("c", nil)
	c.Send(&packets.Publish{Topic: "private", Payload: []byte("pay-load"), QoS: 2, PacketID: 1, Properties: &packets.Properties{}})
	c.WantDisconnect(0x9B)
	s.stop() // the broker may log until it has stopped
	log := s.log.String()
	if !strings.Contains(log, "second connect") || !strings.Contains(log, "qos not supported") {
		t.Errorf("the log does not contain the causes: %s", log)
	}
	for _, private := range []string{"user-name", "pass-word", "pay-load", "private"} {
		if strings.Contains(log, private) {
			t.Errorf("the log contains %q: %s", private, log)
		}
	}
}
