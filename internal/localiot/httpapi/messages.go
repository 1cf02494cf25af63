package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const (
	// The documentation of ListRetainedMessages allows 1 to 200 results. It does not state the default.
	defaultRetainedPage = 100
	maxRetainedPage     = 200
)

// A RetainedMessage is a retained message. A list of retained messages has no payloads and no user
// properties.
type RetainedMessage struct {
	Topic          string
	Payload        []byte
	PayloadSize    int // bytes
	QoS            byte
	LastModified   time.Time
	UserProperties [][2]string
}

// Messages are the retained messages and the connections of the message broker.
type Messages interface {
	Retained(topic string) (RetainedMessage, bool)

	// RetainedTopics returns all retained messages, sorted by topic.
	RetainedTopics() []RetainedMessage

	// Disconnect closes the connection of a client, and reports whether the client was connected.
	// cleanSession removes the session. preventWill drops the will. The error is that of the store.
	Disconnect(clientID string, cleanSession, preventWill bool) (connected bool, err error)
}

// AddMessages registers GetRetainedMessage, ListRetainedMessages and DeleteConnection.
func (a *API) AddMessages(m Messages) {
	a.Handle(Data, "ListRetainedMessages", "GET /retainedMessage", func(r *Request) (any, error) { return listRetained(m, r) })
	a.Handle(Data, "GetRetainedMessage", "GET /retainedMessage/{topic+}", func(r *Request) (any, error) { return getRetained(m, r) })
	a.Handle(Data, "DeleteConnection", "DELETE /connections/{clientId}", func(r *Request) (any, error) { return deleteConnection(m, r) })
}

// retainedMessage is the response of GetRetainedMessage, and without payload and userProperties an
// element of the response of ListRetainedMessages.
type retainedMessage struct {
	Topic            string  `json:"topic"`
	Payload          *[]byte `json:"payload,omitempty"`
	PayloadSize      *int    `json:"payloadSize,omitempty"`
	QoS              byte    `json:"qos"`
	LastModifiedTime int64   `json:"lastModifiedTime"` // ms since 1970
	UserProperties   []byte  `json:"userProperties,omitempty"`
}

func getRetained(m Messages, r *Request) (any, error) {
	topic := r.Name("topic")
	if err := r.Authorize("iot:GetRetainedMessage", "topic/"+topic); err != nil {
		return nil, err
	}
	message, ok := m.Retained(topic)
	if !ok {
		return nil, NotFound("No retained message exists for topic: " + shorten(topic))
	}
	if message.Payload == nil {
		message.Payload = []byte{}
	}
	answer := retainedMessage{
		Topic:            topic,
		Payload:          &message.Payload,
		QoS:              message.QoS,
		LastModifiedTime: message.LastModified.UnixMilli(),
	}
	if len(message.UserProperties) > 0 {
		objects := make([]map[string]string, len(message.UserProperties))
		for i, property := range message.UserProperties {
			objects[i] = map[string]string{property[0]: property[1]}
		}
		answer.UserProperties, _ = json.Marshal(objects)
	}
	return answer, nil
}

func listRetained(m Messages, r *Request) (any, error) {
	if err := r.Authorize("iot:ListRetainedMessages", "*"); err != nil {
		return nil, err
	}
	size, err := r.Int("maxResults", 1, maxRetainedPage, defaultRetainedPage)
	if err != nil {
		return nil, err
	}
	last, err := base64.RawURLEncoding.DecodeString(r.Query.Get("nextToken"))
	if err != nil {
		return nil, Invalid("Invalid nextToken")
	}
	all := m.RetainedTopics()
	first, found := slices.BinarySearchFunc(all, string(last), func(m RetainedMessage, topic string) int { return strings.Compare(m.Topic, topic) })
	if found {
		first++
	}
	page := struct {
		RetainedTopics []retainedMessage `json:"retainedTopics"`
		NextToken      string            `json:"nextToken,omitempty"`
	}{RetainedTopics: []retainedMessage{}}
	for _, message := range all[first:min(first+int(size), len(all))] {
		page.RetainedTopics = append(page.RetainedTopics, retainedMessage{
			Topic:            message.Topic,
			PayloadSize:      &message.PayloadSize,
			QoS:              message.QoS,
			LastModifiedTime: message.LastModified.UnixMilli(),
		})
	}
	if n := len(page.RetainedTopics); first+n < len(all) {
		page.NextToken = base64.RawURLEncoding.EncodeToString([]byte(page.RetainedTopics[n-1].Topic))
	}
	return page, nil
}

func deleteConnection(m Messages, r *Request) (any, error) {
	id := r.Name("clientId")
	if err := r.Authorize("iot:DeleteConnection", "client/"+id); err != nil {
		return nil, err
	}
	if len(id) > 128 || strings.HasPrefix(id, "$") {
		return nil, Invalid("The clientId is not valid.")
	}
	cleanSession, err := r.Bool("cleanSession")
	if err != nil {
		return nil, err
	}
	preventWill, err := r.Bool("preventWillMessage")
	if err != nil {
		return nil, err
	}
	connected, err := m.Disconnect(id, cleanSession, preventWill)
	if err != nil {
		return nil, err
	}
	if !connected {
		return nil, NotFound("The client is not connected.")
	}
	return nil, nil
}
