package broker

import (
	"strings"

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
	// of its topic. Handle must not keep the payload.
	//
	// The Broker does not call Handle for wills, as AWS IoT ignores wills on request topics
	// (device-shadow-comms-app.html#thing-connection).
	Handle(r Request) []Message
}

// A Request is a message on a request topic.
type Request struct {
	ClientID string // "" if no client has sent the request
	Topic    string
	Payload  []byte
}

// A Message is an answer of a Service.
type Message struct {
	Topic   string
	Payload []byte

	// ToRequester sends the message to the client of the request only, once, with or without a
	// subscription. No other client receives it, as AWS documents for jobs (jobs-mqtt-api.html). It is sent
	// to no client if the request did not come by MQTT.
	ToRequester bool
}

// Answer calls handle and sends the messages that it returns. Until they are sent, no Service handles a
// request, so that subscribers receive the answers of all requests in the order of the requests. It is for
// requests that arrive at a service by HTTP.
func (b *Broker) Answer(handle func() []Message) {
	b.answers.Lock()
	defer b.answers.Unlock()
	for _, m := range handle() {
		b.distribute(newMessage(m.Topic, m.Payload, 1, false, nil), b.storeLater)
	}
}

// The prefixes of reserved topics that the Broker handles itself.
const (
	rulesPrefix  = "$aws/rules/"  // Basic Ingest
	eventsPrefix = "$aws/events/" // lifecycle events
)

// serviceOf returns the Service that owns a topic, or nil, and whether the topic is a request topic.
func (b *Broker) serviceOf(topic string) (s Service, request bool) {
	if !strings.HasPrefix(topic, "$") {
		return nil, false
	}
	for _, s := range b.options.Services {
		if owned, request := s.Owns(topic); owned {
			return s, request
		}
	}
	return nil, false
}

// CheckPublish returns the reason code with which the reserved topics refuse a message of a client, or
// CodeSuccess. Clients may publish to request topics and to the topics of Basic Ingest. Messages to
// reserved topics cannot be retained ("MQTT", Using MQTT retained messages).
func (b *Broker) CheckPublish(topic string, retain bool) packets.Code {
	if !strings.HasPrefix(topic, "$") {
		return packets.CodeSuccess
	}
	_, isRequest := b.serviceOf(topic)
	rule, isRule := strings.CutPrefix(topic, rulesPrefix)
	isRule = isRule && rule != "" && rule[0] != '/'
	switch {
	case (isRequest || isRule) && !retain:
		return packets.CodeSuccess
	case strings.HasPrefix(topic, "$aws/"):
		return packets.ErrNotAuthorized
	}
	return packets.ErrTopicNameInvalid
}

// maySubscribe reports whether the reserved topics allow a filter, without $share and the group. A filter
// with wildcards below $aws is allowed except for Basic Ingest.
func (b *Broker) maySubscribe(filter string) bool {
	if !strings.HasPrefix(filter, "$") {
		return true
	}
	if !strings.HasPrefix(filter, "$aws/") || strings.HasPrefix(filter+"/", rulesPrefix) {
		return false
	}
	s, _ := b.serviceOf(filter)
	return s != nil || hasWildcard(filter) || strings.HasPrefix(filter, eventsPrefix)
}
