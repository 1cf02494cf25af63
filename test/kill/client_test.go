package kill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/test/harness"
)

// timeout bounds each wait for the server.
const timeout = 20 * time.Second

// A client is an MQTT 5 connection. Its methods return an error when the connection has ended, because
// the test kills the server.
type client struct {
	conn net.Conn
	// deliver handles the messages that arrive while the client waits for another packet. nil: the client
	// ignores them.
	deliver func(*packets.Publish)
	present bool // Session Present of CONNACK
	lastID  uint16
}

// connect connects a client. With persistent, its session continues the last one and survives the
// connection.
func connect(s *harness.Settings, id string, persistent bool) (*client, error) {
	conn, err := s.Dial()
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	p := &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: id, CleanStart: !persistent, KeepAlive: 60, Properties: &packets.Properties{},
	}
	if persistent {
		expiry := uint32(3600)
		p.Properties.SessionExpiryInterval = &expiry
	}
	ack, err := exchange[*packets.Connack](c, packets.CONNECT, p)
	if err != nil {
		return nil, err
	}
	if ack.ReasonCode != 0 {
		return nil, fmt.Errorf("CONNACK 0x%02X", ack.ReasonCode)
	}
	c.present = ack.SessionPresent
	return c, nil
}

func (c *client) close() { _ = c.conn.Close() }

func (c *client) send(kind byte, content packets.Packet) error {
	packet := packets.NewControlPacket(kind)
	packet.Content = content
	var b bytes.Buffer
	if _, err := packet.WriteTo(&b); err != nil {
		return err
	}
	_, err := c.conn.Write(b.Bytes())
	return err
}

// next reads a packet, and acknowledges a PUBLISH with QoS 1.
func (c *client) next() (packets.Packet, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	p, err := packets.ReadPacket(c.conn)
	if err != nil {
		return nil, err
	}
	if publish, ok := p.Content.(*packets.Publish); ok && publish.QoS == 1 {
		err = c.send(packets.PUBACK, &packets.Puback{PacketID: publish.PacketID, Properties: &packets.Properties{}})
	}
	return p.Content, err
}

// exchange sends a packet and returns the next packet of the type P.
func exchange[P packets.Packet](c *client, kind byte, content packets.Packet) (p P, err error) {
	if err := c.send(kind, content); err != nil {
		return p, err
	}
	for {
		got, err := c.next()
		if err != nil {
			return p, err
		}
		if p, ok := got.(P); ok {
			return p, nil
		}
		if publish, ok := got.(*packets.Publish); ok && c.deliver != nil {
			c.deliver(publish)
		}
	}
}

// subscribe subscribes with QoS 1.
func (c *client) subscribe(filter string) error {
	c.lastID++
	ack, err := exchange[*packets.Suback](c, packets.SUBSCRIBE, &packets.Subscribe{
		PacketID: c.lastID, Subscriptions: []packets.SubOptions{{Topic: filter, QoS: 1}}, Properties: &packets.Properties{},
	})
	if err == nil && ack.Reasons[0] > 1 {
		err = fmt.Errorf("SUBACK 0x%02X for %s", ack.Reasons[0], filter)
	}
	return err
}

// publish publishes with QoS 1, and returns after the acknowledgement.
func (c *client) publish(topic, payload string, retain bool) error {
	c.lastID = c.lastID%0xffff + 1
	ack, err := exchange[*packets.Puback](c, packets.PUBLISH, &packets.Publish{
		PacketID: c.lastID, QoS: 1, Topic: topic, Payload: []byte(payload), Retain: retain, Properties: &packets.Properties{},
	})
	if err == nil && ack.ReasonCode >= 0x80 {
		err = fmt.Errorf("PUBACK 0x%02X for %s", ack.ReasonCode, topic)
	}
	return err
}

// request publishes a request to a reserved topic, and decodes the accepted answer with its client token
// into answer. The client must be subscribed to the answers. A rejected answer is a rejection.
func (c *client) request(topic string, body map[string]any, answer any) error {
	c.lastID = c.lastID%0xffff + 1
	token := fmt.Sprint("t", time.Now().UnixNano())
	body["clientToken"] = token
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if err := c.send(packets.PUBLISH, &packets.Publish{
		PacketID: c.lastID, QoS: 1, Topic: topic, Payload: payload, Properties: &packets.Properties{},
	}); err != nil {
		return err
	}
	for {
		got, err := c.next()
		if err != nil {
			return err
		}
		m, ok := got.(*packets.Publish)
		if !ok {
			continue
		}
		var head struct{ ClientToken string }
		if err := json.Unmarshal(m.Payload, &head); err != nil {
			return fmt.Errorf("%s: %w", m.Topic, err)
		}
		switch {
		case head.ClientToken != token:
		case m.Topic == topic+"/accepted":
			return json.Unmarshal(m.Payload, answer)
		case m.Topic == topic+"/rejected":
			return rejection(m.Payload)
		}
	}
}

// A rejection is the document of a rejected request.
type rejection []byte

func (r rejection) Error() string { return "rejected: " + string(r) }

// wait waits for the end of a channel, and fails the test after the timeout.
func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(timeout):
		t.Fatalf("no %s within %v", what, timeout)
	}
}
