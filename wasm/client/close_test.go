package client

import (
	"bytes"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// The broker ends the connection with the reason code 0x95 (Packet too large), because of
// a message. The client does not send the message again. The reason code 0x9d (Server
// moved) closes the client.
func TestDisconnectBecauseOfAMessage(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "refused")
	w.sends("PUBLISH refused")
	w.fromBroker(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x95, Properties: &packets.Properties{}})
	w.expectCalls("close; failed 2 ERR_DISCONNECTED; disconnected ERR_DISCONNECTED retry 1s[reconnecting]")
	w.reconnected(true)
	w.sends("")
	w.log = nil
	w.fromBroker(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x9d, Properties: &packets.Properties{}})
	w.expectCalls("close; disconnected ERR_DISCONNECTED[closed]; closed ERR_DISCONNECTED[closed]")
}

func TestSuperseded(t *testing.T) {
	w := online(t, nil)
	w.sub(2, "f", 0)
	w.sends("SUBSCRIBE f:0")
	w.suback(1, 0)
	w.log = nil
	w.fromBroker(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: &packets.Properties{}})
	w.expectCalls("close; ended 1 ERR_SUPERSEDED; disconnected ERR_SUPERSEDED[closed]; closed ERR_SUPERSEDED[closed]")
}

func TestProtocolError(t *testing.T) {
	w := online(t, nil)
	w.Receive(w.now, w.attempt, []byte{0x36}, 0)
	w.expectCalls("")
	w.Receive(w.now, w.attempt, []byte{0}, 0)
	w.expectCalls("close; disconnected ERR_PROTOCOL retry 1s[reconnecting]")
	if !bytes.Equal(w.lastOut, []byte{0xe0, 1, 0x81}) {
		t.Errorf("the last packet is %x, want DISCONNECT with 0x81", w.lastOut)
	}
	w.reconnected(true)
	w.expectCalls("connecting[reconnecting]; open; connected recovered[connected]")
	w.TextReceived(w.now, w.attempt)
	w.expectCalls("close; disconnected ERR_PROTOCOL retry 1s[reconnecting]")
}

func TestDisconnectSettlesAllPromises(t *testing.T) {
	w := online(t, nil)
	w.pub(2, 1, "t", "a")
	w.sub(3, "f", 0)
	w.Disconnect(w.now, 4)
	w.expectCalls("close; failed 2 ERR_CLOSED; failed 3 ERR_CLOSED; closed[closed]; done 4")
	got := decodeAll(t, w.lastOut)
	if n := len(got); n == 0 || got[n-1].Type != packets.DISCONNECT {
		t.Errorf("the last packets are %x, want DISCONNECT at the end", w.lastOut)
	}
	w.Disconnect(w.now, 5)
	w.expectCalls("done 5")
	if w.Deadline() != mqtt.Never {
		t.Error("the client has a deadline after disconnect()")
	}
	w = newWorld(t) // disconnect() while the client connects
	o := unsigned()
	w.Connect(0, 1, &o)
	w.pub(2, 1, "t", "a")
	w.Disconnect(0, 3)
	w.expectCalls("connecting[connecting]; open; close; failed 2 ERR_CLOSED; failed 1 ERR_CLOSED; closed[closed]; done 3")
	w.Opened(0, w.attempt) // the client ignores the event, because the attempt has ended
	w.expectCalls("")
}

// When the socket has closed, the client cannot send the rest of the output.
func TestLostSocketWithOutput(t *testing.T) {
	w := online(t, nil)
	large := strings.Repeat("x", 100_000)
	if !w.pub(2, 0, "t", large) || w.pub(3, 0, "t", "a") {
		t.Error("the second message is not queued")
	}
	w.Buffered(w.now, 0)
	w.Flushed(w.now, len(w.Output())) // the second message is in the output now
	before := w.Stats().BytesOut
	w.loseSocket(1006)
	w.expectCalls("close; failed 3 ERR_CONNECTION_LOST; disconnected ERR_CONNECTION_LOST retry 1s[reconnecting]")
	if n := w.Stats().BytesOut - before; n != 0 || len(w.lastOut) > 0 {
		t.Errorf("the client passes %d bytes to a closed socket, and counts %d", len(w.lastOut), n)
	}
}

func TestReconnect(t *testing.T) {
	w := online(t, nil)
	w.Reconnect(w.now)
	w.expectCalls("close; disconnected ERR_RECONNECT retry 0s[reconnecting]; connecting[reconnecting]; open")
	w.Reconnect(w.now)
	w.expectCalls("")
	w.loseSocket(1006)
	w.probed(Probe{})
	w.log = nil
	w.Reconnect(w.now)
	w.expectCalls("connecting[reconnecting]; open")
}
