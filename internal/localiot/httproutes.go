package localiot

import (
	"net/http"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/httpapi"
	"iot.wasm/internal/localiot/iam"

	"github.com/mochi-mqtt/server/v2/packets"
)

// newAPI returns the HTTP APIs of the server with all their operations.
func (s *Server) newAPI() *httpapi.API {
	api := httpapi.New(httpapi.Options{
		Region:      s.options.Region,
		Now:         s.clock.now,
		Lookup:      s.keys.Lookup,
		Permissions: s.permissions,
		Logger:      s.options.Logger,
	})
	api.AddEndpoint()
	api.AddShadows(httpShadows{s})
	api.AddPublish(httpMessages{s}.publish)
	api.AddMessages(httpMessages{s})
	api.AddPolicies(s.policies)
	api.AddThings(s.things, s.jobs.RemoveThing)
	api.AddJobs(s.jobs)
	api.AddJobsData(s.jobs)
	return api
}

// permissions returns the permissions of an access key for a request to the HTTP APIs.
func (s *Server) permissions(accessKeyID string, r *http.Request) httpapi.Permissions {
	key, ok := s.keys.Get(accessKeyID)
	if !ok {
		return iam.NewSession(s.options.Region, nil, iam.Connection{}, nil) // allows nothing
	}
	return s.policies.Session(key.Owner, connectionFacts(r))
}

// httpShadows implements httpapi.Shadows.
type httpShadows struct{ server *Server }

// Get implements httpapi.Shadows.
func (s httpShadows) Get(thing, name string) ([]byte, error) {
	return s.server.shadows.Get(thing, name, nil)
}

// Delete implements httpapi.Shadows. Like Update, it publishes the answer that a request by MQTT gets: "The
// Device Shadow service sends a message to this topic when a device's shadow is deleted"
// (device-shadow-mqtt.html#delete-accepted-pub-sub-topic).
func (s httpShadows) Delete(thing, name string) (document []byte, err error) {
	s.server.currentBroker().Answer(func() []broker.Message {
		document, err = s.server.shadows.Delete(thing, name, nil)
		return messages(shadowTopic(thing, name, "delete"), document, nil, nil)
	})
	return document, err
}

// Update implements httpapi.Shadows. It publishes the messages that an update by MQTT causes
// (device-shadow-data-flow.html#update-device-shadow). An update that fails publishes nothing: its client
// gets the error by HTTP.
func (s httpShadows) Update(thing, name string, body []byte) (document []byte, err error) {
	s.server.currentBroker().Answer(func() []broker.Message {
		updated, problem := s.server.shadows.Update(thing, name, body)
		if err = problem; err != nil {
			return nil
		}
		document = updated.Accepted
		return messages(shadowTopic(thing, name, "update"), updated.Accepted, updated.Delta, updated.Documents)
	})
	return document, err
}

// ListNamed implements httpapi.Shadows.
func (s httpShadows) ListNamed(thing string, pageSize int, nextToken string) ([]byte, error) {
	return s.server.shadows.ListNamed(thing, pageSize, nextToken)
}

// httpMessages implements httpapi.Messages.
type httpMessages struct{ server *Server }

// publish publishes a message of the HTTP API.
func (m httpMessages) publish(p httpapi.Publication) error {
	b := m.server.currentBroker()
	switch b.CheckMessage(p.Topic, len(p.Payload), p.Retain) {
	case packets.CodeSuccess:
	case packets.ErrQuotaExceeded: // of retained messages; httpapi has checked the size of the payload
		return &httpapi.Error{Status: http.StatusTooManyRequests, Code: "ThrottlingException", Message: "Rate exceeded", Check: "retained-quota"}
	case packets.ErrNotAuthorized:
		return &httpapi.Error{Status: http.StatusForbidden, Code: "ForbiddenException", Message: "Forbidden", Check: "reserved-topic"}
	default:
		return httpapi.Invalid("The topic is not valid.")
	}
	return b.Publish(broker.Publication(p))
}

// Retained implements httpapi.Messages.
func (m httpMessages) Retained(topic string) (httpapi.RetainedMessage, bool) {
	r, ok := m.server.currentBroker().Retained(topic)
	return httpapi.RetainedMessage{
		Topic:          topic,
		Payload:        r.Payload,
		PayloadSize:    len(r.Payload),
		QoS:            r.QoS,
		LastModified:   r.LastModified,
		UserProperties: r.UserProperties,
	}, ok
}

// RetainedTopics implements httpapi.Messages.
func (m httpMessages) RetainedTopics() []httpapi.RetainedMessage {
	summaries := m.server.currentBroker().RetainedTopics()
	list := make([]httpapi.RetainedMessage, len(summaries))
	for i, r := range summaries {
		list[i] = httpapi.RetainedMessage{Topic: r.Topic, PayloadSize: r.PayloadSize, QoS: r.QoS, LastModified: r.LastModified}
	}
	return list
}

// Disconnect implements httpapi.Messages.
func (m httpMessages) Disconnect(clientID string, cleanSession, preventWill bool) (connected bool, err error) {
	return m.server.currentBroker().DisconnectClient(clientID, cleanSession, preventWill)
}
