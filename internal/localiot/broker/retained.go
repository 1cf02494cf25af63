package broker

import (
	"errors"
	"slices"
	"strings"
	"time"

	"iot.wasm/internal/localiot/store"

	"github.com/mochi-mqtt/server/v2/packets"
)

// retainedMessages holds the retained messages. Broker.mu guards it.
type retainedMessages struct {
	messages map[string]*retained // by topic
	bytes    int                  // the size of the messages
	full     bool                 // whether a message was dropped since the last one that fitted
	swept    time.Time            // the last removal of expired messages
}

// sweepInterval is the time between two removals of expired retained messages while they do not fit.
const sweepInterval = time.Minute

// mayRetain reports whether a retained message of a client fits. Like AWS IoT, the Broker refuses other
// ones ("MQTT retained messages").
func (b *Broker) mayRetain(topic string, payload int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return payload == 0 || b.fitsRetained(topic, messageOverhead+len(topic)+payload)
}

// fitsRetained reports whether a retained message fits in place of that of its topic. If it does not, it
// first removes the messages that have expired. The caller holds b.mu.
func (b *Broker) fitsRetained(topic string, size int) bool {
	r := &b.retained
	replaced := 0
	if old := r.messages[topic]; old != nil {
		replaced = old.message.size
	}
	now := time.Now()
	if r.bytes-replaced+size > maxRetained && now.Sub(r.swept) >= sweepInterval {
		r.swept = now
		for other := range r.messages {
			if other != topic {
				b.retainedMessage(other)
			}
		}
	}
	return r.bytes-replaced+size <= maxRetained
}

// retained is a retained message.
type retained struct {
	message  *message
	modified time.Time
}

// retain stores a retained message, or removes the retained message of the topic if the payload is empty
// [MQTT-3.3.1-6]. The caller holds b.mu.
func (b *Broker) retain(m *message) []store.Change {
	r := &b.retained
	fits := b.fitsRetained(m.topic, m.size)
	old := r.messages[m.topic]
	if old != nil {
		r.bytes -= old.message.size
		delete(r.messages, m.topic)
	}
	if len(m.payload) == 0 {
		if old == nil {
			return nil
		}
		return b.deleteRetained(m.topic)
	}
	if !fits {
		if !r.full {
			r.full = true
			b.log.Warn("too many retained messages: dropping retained messages", "bytes", r.bytes)
		}
		return b.deleteRetained(m.topic)
	}
	r.full = false
	kept := *m
	kept.references, kept.frames = 0, nil
	r.messages[m.topic] = &retained{&kept, time.Now()}
	r.bytes += m.size
	return b.retainedChange(r.messages[m.topic])
}

// retainedMessage returns the retained message of a topic, or nil. It removes a message that has
// expired. The caller holds b.mu.
func (b *Broker) retainedMessage(topic string) *retained {
	r := b.retained.messages[topic]
	if r == nil || !r.message.expired(time.Now()) {
		return r
	}
	b.retained.bytes -= r.message.size
	delete(b.retained.messages, topic)
	b.storeLater(b.deleteRetained(topic))
	return nil
}

// Retained returns the retained message of a topic.
func (b *Broker) Retained(topic string) (RetainedMessage, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.retainedMessage(topic)
	if r == nil {
		return RetainedMessage{}, false
	}
	m := r.message
	p := Publication{Topic: m.topic, Payload: m.payload, QoS: m.qos, Retain: true}
	if m.properties != nil {
		p.ContentType, p.ResponseTopic, p.CorrelationData = m.properties.ContentType, m.properties.ResponseTopic, m.properties.CorrelationData
		p.PayloadFormat, p.MessageExpiry = m.properties.PayloadFormat, m.properties.MessageExpiryInterval
		for _, u := range m.properties.User {
			p.UserProperties = append(p.UserProperties, [2]string{u.Key, u.Val})
		}
	}
	return RetainedMessage{p, r.modified}, true
}

// RetainedTopics describes all retained messages, in the order of their topics.
func (b *Broker) RetainedTopics() (list []RetainedSummary) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for topic, r := range b.retained.messages {
		if !r.message.expired(now) {
			list = append(list, RetainedSummary{topic, len(r.message.payload), r.message.qos, r.modified})
		}
	}
	slices.SortFunc(list, func(a, b RetainedSummary) int { return strings.Compare(a.Topic, b.Topic) })
	return list
}

// Publish publishes a message of a service or of the HTTP API, after it is stored. It does not check
// quotas and policies. It returns an error if the topic or the QoS is invalid, or if the message cannot be
// stored. If the topic is a request topic, its Service handles the message.
func (b *Broker) Publish(p Publication) error {
	switch {
	case p.Topic == "" || hasWildcard(p.Topic) || len(p.Topic) > 65535:
		return errors.New("broker: the topic is invalid")
	case p.QoS > b.options.MaximumQoS:
		return errors.New("broker: the QoS is not supported")
	}
	properties := packets.Properties{
		ContentType:           p.ContentType,
		ResponseTopic:         p.ResponseTopic,
		CorrelationData:       p.CorrelationData,
		MessageExpiryInterval: p.MessageExpiry,
		PayloadFormat:         p.PayloadFormat,
		PayloadFormatFlag:     p.PayloadFormat != 0,
	}
	for _, u := range p.UserProperties {
		properties.User = append(properties.User, packets.UserProperty{Key: u[0], Val: u[1]})
	}
	m := newMessage(p.Topic, slices.Clone(p.Payload), p.QoS, p.Retain, &properties)
	m.setExpiry(time.Now())
	b.logPublish("", m)
	stored := make(chan error, 1)
	b.accept(m, nil, func(changes []store.Change) { b.submit(changes, func(err error) { stored <- err }) })
	return <-stored
}
