package broker

import (
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A Service owns some of the topics that AWS IoT reserves ("Reserved topics" in the AWS IoT Core
// Developer Guide). Clients send requests to it by publishing to request topics. It answers on its other
// topics, to which clients cannot publish. Clients can subscribe to all of its topics.
type Service interface {
	// Owns reports whether a topic belongs to the service, and whether it is a request topic.
	Owns(topic string) (owned, request bool)

	// Handle returns the answers to a request, in the order in which the Broker must send them. The
	// Broker calls Handle for one request at a time, after it has sent the request to the subscribers
	// of its topic. Handle must not block, and must not keep the payload.
	//
	// The Broker does not call Handle for wills, as AWS IoT ignores wills on request topics
	// (device-shadow-comms-app.html#thing-connection).
	Handle(topic string, payload []byte) []Message
}

// A Message is an answer of a Service.
type Message struct {
	Topic   string
	Payload []byte
}

// answerOrigin is the client id under which mochi-mqtt distributes answers. No client can have it, because
// MQTT strings do not contain U+0000 [MQTT-1.5.4-2]. Otherwise No Local would withhold answers.
const answerOrigin = "\x00"

// serviceOf returns the Service that owns a topic, or nil, and whether the topic is a request topic.
func (b *Broker) serviceOf(topic string) (s Service, request bool) {
	for _, s := range b.options.Services {
		if owned, request := s.Owns(topic); owned {
			return s, request
		}
	}
	return nil, false
}

// allowsReserved reports whether the reserved topics allow a client to publish to a topic. Messages to
// them cannot be retained ("MQTT", Using MQTT retained messages).
func (b *Broker) allowsReserved(topic string, retain bool) bool {
	s, request := b.serviceOf(topic)
	return s == nil || request && !retain
}

// OnPublished passes a request to its Service, and sends the answers. It holds a lock meanwhile, so that
// subscribers receive the answers in the order of the requests.
func (h *hook) OnPublished(cl *mqtt.Client, pk packets.Packet) {
	b := h.broker
	service, request := b.serviceOf(pk.TopicName)
	if !request || cl.Net.Inline {
		return
	}
	b.answers.Lock()
	defer b.answers.Unlock()
	for _, m := range service.Handle(pk.TopicName, pk.Payload) {
		// The documentation does not state the QoS of answers. With QoS 1, the subscription decides.
		// The packet identifier is not used.
		answer := packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1},
			PacketID:    1,
			TopicName:   m.Topic,
			Payload:     m.Payload,
		}
		if err := b.server.InjectPacket(b.answerer, answer); err != nil {
			b.log.Error("an answer was not sent", "topic", m.Topic, "error", err)
		}
	}
}
