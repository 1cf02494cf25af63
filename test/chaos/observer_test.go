package chaos

import (
	"bytes"
	"fmt"
	"net"
	"sync"

	"github.com/eclipse/paho.golang/packets"
)

// An observer is a client with an undisturbed connection. It records the messages of the
// page and publishes messages to the page.
type observer struct {
	conn net.Conn
	free chan uint16 // unused packet identifiers
	most int         // the number of packet identifiers that free contains at first

	mu           sync.Mutex        // guards the members below
	out          []byte            // bytes to write
	received     []string          // names of messages in the order of their arrival
	times        map[string]int    // by name: how often the message has arrived
	acknowledged map[string]bool   // messages of QoS 1 and 2 that the broker has acknowledged
	names        map[uint16]string // by packet identifier
	err          error
	changed      chan struct{} // closed and replaced after each change of the members
}

// inFlight is how many unacknowledged messages the observer sends, unless the broker's
// Receive Maximum is lower.
const inFlight = 15

// observe connects an observer and subscribes to a filter.
func observe(dial func() (net.Conn, error), id, filter string) (*observer, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	o := &observer{
		conn: conn, free: make(chan uint16, inFlight),
		times: map[string]int{}, acknowledged: map[string]bool{}, names: map[uint16]string{}, changed: make(chan struct{}),
	}
	if o.most, err = connect(conn, id); err != nil {
		_ = conn.Close()
		return nil, err
	}
	for i := range o.most {
		o.free <- uint16(i + 2)
	}
	o.send(packets.SUBSCRIBE, &packets.Subscribe{PacketID: 1, Properties: &packets.Properties{}, Subscriptions: []packets.SubOptions{{Topic: filter, QoS: 2}}})
	if _, err := conn.Write(o.out); err != nil {
		_ = conn.Close()
		return nil, err
	}
	o.out = nil
	cp, err := packets.ReadPacket(conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if ack, ok := cp.Content.(*packets.Suback); !ok || ack.Reasons[0] > 2 {
		_ = conn.Close()
		return nil, fmt.Errorf("the broker refuses the observer's subscription: %v", cp)
	}
	go o.read()
	go o.write()
	return o, nil
}

// connect sends CONNECT with Clean Start, which ends an existing session, and receives
// CONNACK. It returns how many unacknowledged messages the client may send, at most inFlight.
func connect(conn net.Conn, id string) (most int, err error) {
	o := &observer{conn: conn, changed: make(chan struct{})}
	o.send(packets.CONNECT, &packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: id, CleanStart: true, Properties: &packets.Properties{}})
	if _, err := conn.Write(o.out); err != nil {
		return 0, err
	}
	cp, err := packets.ReadPacket(conn)
	if err != nil {
		return 0, err
	}
	ack, ok := cp.Content.(*packets.Connack)
	if !ok || ack.ReasonCode != 0 {
		return 0, fmt.Errorf("the broker refuses CONNECT: %v", cp)
	}
	most = inFlight
	if granted := ack.Properties.ReceiveMaximum; granted != nil {
		most = min(most, int(*granted))
	}
	return most, nil
}

// send queues a packet for write. The caller holds o.mu, unless no other goroutine uses o.
func (o *observer) send(kind byte, content packets.Packet) {
	cp := packets.NewControlPacket(kind)
	cp.Content = content
	var b bytes.Buffer
	_, _ = cp.WriteTo(&b)
	o.out = append(o.out, b.Bytes()...)
	o.notify()
}

// write writes the queued packets. It runs in a goroutine of its own, because the broker
// may stop reading until the observer reads.
func (o *observer) write() {
	for {
		var batch []byte
		err := o.until(func() bool {
			batch, o.out = o.out, nil
			return len(batch) > 0
		}, nil)
		if err != nil {
			return
		}
		if _, err := o.conn.Write(batch); err != nil {
			return // read reports the error
		}
	}
}

func (o *observer) read() {
	for {
		cp, err := packets.ReadPacket(o.conn)
		o.mu.Lock()
		if err != nil {
			o.err = err
			o.notify()
			o.mu.Unlock()
			return
		}
		switch p := cp.Content.(type) {
		case *packets.Publish:
			name := nameOf(p.Payload)
			o.received = append(o.received, name)
			o.times[name]++
			switch p.QoS {
			case 1:
				o.send(packets.PUBACK, &packets.Puback{PacketID: p.PacketID, Properties: &packets.Properties{}})
			case 2:
				o.send(packets.PUBREC, &packets.Pubrec{PacketID: p.PacketID, Properties: &packets.Properties{}})
			}
		case *packets.Pubrel:
			o.send(packets.PUBCOMP, &packets.Pubcomp{PacketID: p.PacketID, Properties: &packets.Properties{}})
		case *packets.Pubrec:
			o.send(packets.PUBREL, &packets.Pubrel{PacketID: p.PacketID, Properties: &packets.Properties{}})
		case *packets.Puback:
			o.done(p.PacketID)
		case *packets.Pubcomp:
			o.done(p.PacketID)
		}
		o.notify()
		o.mu.Unlock()
	}
}

// notify wakes the goroutines that wait in until.
func (o *observer) notify() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *observer) done(id uint16) {
	o.acknowledged[o.names[id]] = true
	o.free <- id
}

// publish sends a message whose payload begins with its name. While too many messages are
// unacknowledged, it waits. It returns false if stop is closed first.
func (o *observer) publish(topic, name string, padding int, qos byte, stop <-chan struct{}) bool {
	p := &packets.Publish{Topic: topic, Payload: append([]byte(name+";"), bytes.Repeat([]byte{'.'}, padding)...), QoS: qos, Properties: &packets.Properties{}}
	if qos > 0 {
		select {
		case p.PacketID = <-o.free:
		case <-stop:
			return false
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if qos > 0 {
		o.names[p.PacketID] = name
	}
	o.send(packets.PUBLISH, p)
	return true
}

// until waits until the condition holds, or until stop is closed. It calls condition with
// o.mu held.
func (o *observer) until(condition func() bool, stop <-chan struct{}) error {
	for {
		o.mu.Lock()
		holds, err, changed := condition(), o.err, o.changed
		o.mu.Unlock()
		switch {
		case holds:
			return nil
		case err != nil:
			return fmt.Errorf("the observer's connection has ended: %w", err)
		}
		select {
		case <-changed:
		case <-stop:
			return errLate
		}
	}
}
