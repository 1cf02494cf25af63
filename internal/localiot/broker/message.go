package broker

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// messageOverhead estimates the memory of a stored message without its content, in bytes.
const messageOverhead = 256

// message is an application message that the Broker has accepted. Its content does not change.
type message struct {
	topic      string
	payload    []byte
	qos        byte
	retain     bool
	properties *packets.Properties // the properties of a PUBLISH that the Broker forwards; nil if none
	expires    time.Time           // the zero time: never
	publisher  string              // the client id, or "" for a service
	size       int                 // an estimate of the memory, in bytes

	// Broker.mu guards the following fields.
	references int // the number of deliveries that are stored
	frames     map[frameKind]*frame
}

// frameKind identifies the forms in which a message is sent.
type frameKind struct {
	v5, hasID bool
}

// frame is an encoded PUBLISH. Its first byte and its packet identifier are set when it is sent.
type frame struct {
	bytes []byte
	idAt  int // the index of the packet identifier; 0 if there is none
}

// newMessage returns a message. It does not keep p.
func newMessage(topic string, payload []byte, qos byte, retain bool, p *packets.Properties) *message {
	m := &message{topic: topic, payload: payload, qos: qos, retain: retain}
	m.size = messageOverhead + len(topic) + len(payload)
	if p == nil {
		return m
	}
	kept := packets.Properties{
		PayloadFormat:         p.PayloadFormat,
		PayloadFormatFlag:     p.PayloadFormatFlag,
		MessageExpiryInterval: p.MessageExpiryInterval,
		ContentType:           p.ContentType,
		ResponseTopic:         p.ResponseTopic,
		CorrelationData:       p.CorrelationData,
		User:                  p.User,
	}
	size := len(kept.ContentType) + len(kept.ResponseTopic) + len(kept.CorrelationData)
	for _, u := range kept.User {
		size += 32 + len(u.Key) + len(u.Val)
	}
	if size > 0 || kept.PayloadFormatFlag || kept.MessageExpiryInterval > 0 {
		m.properties = &kept
		m.size += size
	}
	return m
}

// setExpiry sets the time at which the message expires, from its Message Expiry Interval. It limits the
// interval to the maximum of AWS IoT.
func (m *message) setExpiry(now time.Time) {
	if m.properties == nil || m.properties.MessageExpiryInterval == 0 {
		return
	}
	m.properties.MessageExpiryInterval = min(m.properties.MessageExpiryInterval, maxMessageExpiry)
	m.expires = now.Add(time.Duration(m.properties.MessageExpiryInterval) * time.Second)
}

// expired reports whether the message has expired.
func (m *message) expired(now time.Time) bool { return !m.expires.IsZero() && !now.Before(m.expires) }

// frame returns the encoded message. The caller holds Broker.mu.
func (m *message) frame(kind frameKind, now time.Time) (*frame, error) {
	if f := m.frames[kind]; f != nil {
		return f, nil
	}
	f, err := m.encode(kind, now)
	if err == nil && (m.expires.IsZero() || !kind.v5) {
		if m.frames == nil {
			m.frames = make(map[frameKind]*frame, 1)
		}
		m.frames[kind] = f
	}
	return f, err
}

// encode encodes the message as a PUBLISH without flags. The Message Expiry Interval is the remaining
// time [MQTT-3.3.2-6], rounded up to seconds. AWS IoT rounds down, so its last second is 0.
func (m *message) encode(kind frameKind, now time.Time) (*frame, error) {
	pk := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Publish},
		ProtocolVersion: 4,
		TopicName:       m.topic,
		Payload:         m.payload,
		Mods:            packets.Mods{AllowResponseInfo: true}, // otherwise the encoder omits Response Topic and Correlation Data
	}
	if kind.v5 {
		pk.ProtocolVersion = 5
		if m.properties != nil {
			pk.Properties = *m.properties
			if !m.expires.IsZero() {
				remaining := (m.expires.Sub(now) + time.Second - 1) / time.Second
				pk.Properties.MessageExpiryInterval = uint32(max(remaining, 1))
			}
		}
	}
	if kind.hasID {
		pk.FixedHeader.Qos, pk.PacketID = 1, 1
	}
	var b bytes.Buffer
	b.Grow(len(m.topic) + len(m.payload) + 16)
	if err := pk.PublishEncode(&b); err != nil {
		return nil, err
	}
	f := &frame{bytes: b.Bytes()}
	if kind.hasID {
		body := body(f.bytes)
		f.idAt = len(f.bytes) - len(body) + 2 + int(binary.BigEndian.Uint16(body))
	}
	return f, nil
}

// publishHeader returns the first byte of a PUBLISH.
func publishHeader(qos byte, retain, duplicate bool) byte {
	h := packets.Publish<<4 | qos<<1
	if retain {
		h |= 1
	}
	if duplicate {
		h |= 1 << 3
	}
	return h
}

// body returns the bytes after the fixed header of a whole packet.
func body(packet []byte) []byte {
	i := 1
	for packet[i] >= 0x80 {
		i++
	}
	return packet[i+1:]
}
