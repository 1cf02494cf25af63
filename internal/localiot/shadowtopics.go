package localiot

import (
	"errors"
	"log/slog"
	"strings"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/shadow"
)

// shadowTopics connects the device shadows to the topics below $aws/things/<thing>/shadow
// (device-shadow-mqtt.html in the AWS IoT Core Developer Guide). It is a broker.Service.
type shadowTopics struct {
	shadows *shadow.Service
	log     *slog.Logger
}

// shadowRequest is what a request topic states.
type shadowRequest struct {
	operation   string // get, update or delete
	thing, name string // name is "" for the classic shadow
}

// parseShadowTopic reports whether a topic belongs to the shadows. The request is empty unless the topic
// is a request topic:
//
//	$aws/things/<thing>/shadow/<operation>
//	$aws/things/<thing>/shadow/name/<name>/<operation>
func parseShadowTopic(topic string) (r shadowRequest, owned bool) {
	levels := strings.Split(topic, "/")
	if len(levels) < 4 || levels[0] != "$aws" || levels[1] != "things" || levels[3] != "shadow" {
		return r, false
	}
	r.thing = levels[2]
	switch levels = levels[4:]; {
	case len(levels) == 1:
		r.operation = levels[0]
	case len(levels) == 3 && levels[0] == "name" && levels[1] != "":
		r.name, r.operation = levels[1], levels[2]
	}
	switch r.operation {
	case "get", "update", "delete":
		return r, true
	}
	return shadowRequest{}, true
}

// Owns implements broker.Service.
func (s shadowTopics) Owns(topic string) (owned, request bool) {
	r, owned := parseShadowTopic(topic)
	return owned, r.operation != ""
}

// Handle implements broker.Service.
func (s shadowTopics) Handle(request broker.Request) []broker.Message {
	topic, payload := request.Topic, request.Payload
	r, _ := parseShadowTopic(topic)
	var answers []broker.Message
	var document []byte
	var err error
	switch r.operation {
	case "get":
		document, err = s.shadows.Get(r.thing, r.name, payload)
		answers = messages(topic, document, nil, nil)
	case "delete":
		document, err = s.shadows.Delete(r.thing, r.name, payload)
		answers = messages(topic, document, nil, nil)
	case "update":
		var updated *shadow.Updated
		if updated, err = s.shadows.Update(r.thing, r.name, payload); err == nil {
			answers = messages(topic, updated.Accepted, updated.Delta, updated.Documents)
		}
	}
	code := 0
	var rejected *shadow.Error
	if errors.As(err, &rejected) {
		code = rejected.Code
		answers = []broker.Message{{Topic: topic + "/rejected", Payload: rejected.Document()}}
	}
	s.log.Info("shadow", "client", request.ClientID, "operation", r.operation, "thing", r.thing, "name", r.name, "bytes", len(payload), "error", code)
	return answers
}

// messages returns the messages that AWS IoT publishes after a request that it accepts, in this order. topic
// is that of the request. A document that is nil is not published.
func messages(topic string, accepted, delta, documents []byte) (list []broker.Message) {
	for _, m := range []broker.Message{
		{Topic: topic + "/accepted", Payload: accepted},
		{Topic: topic + "/delta", Payload: delta},
		{Topic: topic + "/documents", Payload: documents},
	} {
		if m.Payload != nil {
			list = append(list, m)
		}
	}
	return list
}

// shadowTopic returns the topic of a request to a shadow.
func shadowTopic(thing, name, operation string) string {
	if name != "" {
		name = "name/" + name + "/"
	}
	return "$aws/things/" + thing + "/shadow/" + name + operation
}
