package localiot

import (
	"errors"
	"strings"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/shadow"
)

// shadowTopics connects the device shadows to the topics below $aws/things/<thing>/shadow
// (device-shadow-mqtt.html in the AWS IoT Core Developer Guide). It is a broker.Service.
type shadowTopics struct{ shadows *shadow.Service }

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
func (s shadowTopics) Handle(request broker.Request) (answers []broker.Message) {
	topic, payload := request.Topic, request.Payload
	r, _ := parseShadowTopic(topic)
	answer := func(suffix string, document []byte) {
		if document != nil {
			answers = append(answers, broker.Message{Topic: topic + suffix, Payload: document})
		}
	}
	var err error
	switch r.operation {
	case "get":
		var document []byte
		document, err = s.shadows.Get(r.thing, r.name, payload)
		answer("/accepted", document)
	case "delete":
		var document []byte
		document, err = s.shadows.Delete(r.thing, r.name, payload)
		answer("/accepted", document)
	case "update":
		var updated *shadow.Updated
		if updated, err = s.shadows.Update(r.thing, r.name, payload); err == nil {
			answer("/accepted", updated.Accepted)
			answer("/delta", updated.Delta)
			answer("/documents", updated.Documents)
		}
	}
	var rejected *shadow.Error
	if errors.As(err, &rejected) {
		answer("/rejected", rejected.Document())
	}
	return answers
}
