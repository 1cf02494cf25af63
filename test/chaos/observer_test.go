package chaos

import (
	"bytes"
	"fmt"
	"net"
	"sync"

	"github.com/eclipse/paho.golang/packets"
)

// observer is a client on a connection that nothing disturbs. It notes what the
// page publishes, and publishes to the page.
type observer struct {
	conn net.Conn
	free chan uint16 // packet identifiers that are not in use
	most int         // how many there are

	mu      sync.Mutex // of what is below
	out     []byte     // to be written
	seen    []string   // names of messages, in the order in which they came
	times   map[string]int
	taken   map[string]bool // QoS 1 and 2 messages that the broker has taken over
	names   map[uint16]string
	err     error
	changed chan struct{} // closed, and made anew, when something above changes
}

// inFlight is how many messages the observer has under way at once, unless the
// broker takes fewer.
const inFlight = 15

func observe(dial func() (net.Conn, error), id, filter string) (*observer, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	o := &observer{
		conn: conn, free: make(chan uint16, inFlight),
		times: map[string]int{}, taken: map[string]bool{}, names: map[uint16]string{}, changed: make(chan struct{}),
	}
	if o.most, err = hello(conn, id); err != nil {
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
		return nil, fmt.Errorf("the observer may not subscribe: %v", cp)
	}
	go o.read()
	go o.write()
	return o, nil
}

// hello connects with a clean start, which ends the session of before. It returns
// how many messages may be under way.
func hello(conn net.Conn, id string) (most int, err error) {
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
		return 0, fmt.Errorf("a native client is refused: %v", cp)
	}
	most = inFlight
	if granted := ack.Properties.ReceiveMaximum; granted != nil {
		most = min(most, int(*granted))
	}
	return most, nil
}

// send has write write a packet. o.mu is held, or nobody else knows o.
func (o *observer) send(kind byte, content packets.Packet) {
	cp := packets.NewControlPacket(kind)
	cp.Content = content
	var b bytes.Buffer
	_, _ = cp.WriteTo(&b)
	o.out = append(o.out, b.Bytes()...)
	o.tell()
}

// write writes by itself, as the broker may read only after it has been read from.
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
			return // which read finds, too
		}
	}
}

func (o *observer) read() {
	for {
		cp, err := packets.ReadPacket(o.conn)
		o.mu.Lock()
		if err != nil {
			o.err = err
			o.tell()
			o.mu.Unlock()
			return
		}
		switch p := cp.Content.(type) {
		case *packets.Publish:
			name := nameOf(p.Payload)
			o.seen = append(o.seen, name)
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
		o.tell()
		o.mu.Unlock()
	}
}

func (o *observer) tell() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *observer) done(id uint16) {
	o.taken[o.names[id]] = true
	o.free <- id
}

// publish sends a message whose payload begins with its name. It waits while too
// many are under way, and gives up at stop.
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

// until waits until the condition holds. It is asked with o.mu held.
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
