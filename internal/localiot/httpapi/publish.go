package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	maxPayload       = 128 << 10 // bytes; "AWS IoT Core message broker and protocol limits and quotas"
	maxMessageExpiry = 604800    // s
	utf8Format       = 1         // the payload format indicator of a payload in UTF-8
)

// A Publication is a message that the API publishes.
type Publication struct {
	Topic           string
	Payload         []byte
	QoS             byte
	Retain          bool
	ContentType     string
	ResponseTopic   string
	CorrelationData []byte
	MessageExpiry   uint32 // s; 0 means none
	PayloadFormat   byte
	UserProperties  [][2]string
}

// AddPublish registers Publish (API_iotdata_Publish.html). publish returns an error if the message is not
// valid.
func (a *API) AddPublish(publish func(Publication) error) {
	a.Handle(Data, "Publish", "POST /topics/{topic+}", func(r *Request) (any, error) {
		p, err := publication(r)
		if err != nil {
			return nil, err
		}
		if err := r.Authorize("iot:Publish", "topic/"+p.Topic); err != nil {
			return nil, err
		}
		if p.Retain {
			if err := r.Authorize("iot:RetainPublish", "topic/"+p.Topic); err != nil {
				return nil, err
			}
		}
		if err := publish(*p); err != nil {
			var e *Error
			if errors.As(err, &e) {
				return nil, e
			}
			return nil, Invalid("The message broker does not accept this message: " + err.Error())
		}
		return OK, nil
	})
}

// publication returns the message of a request.
func publication(r *Request) (*Publication, error) {
	p := &Publication{
		Topic:         r.Name("topic"),
		Payload:       r.Body,
		ContentType:   r.Query.Get("contentType"),
		ResponseTopic: r.Query.Get("responseTopic"),
	}
	if len(p.Payload) > maxPayload {
		return nil, TooLarge("The payload exceeds the maximum size allowed")
	}
	if !isTopic(p.Topic) {
		return nil, Invalid("The topic is not valid.")
	}
	qos, err := r.Int("qos", 0, 1, 0)
	if err != nil {
		return nil, err
	}
	p.QoS = byte(qos)
	if p.Retain, err = r.Bool("retain"); err != nil {
		return nil, err
	}
	if !isText(p.ContentType) {
		return nil, Invalid("contentType must be text in UTF-8.")
	}
	if p.ResponseTopic != "" && !isTopic(p.ResponseTopic) {
		return nil, Invalid("responseTopic is not valid.")
	}
	// The documentation does not state what happens to 0. Here it is 1 s, as in an MQTT message.
	expiry, err := r.Int("messageExpiry", 0, 1<<32-1, 0)
	if err != nil {
		return nil, err
	}
	if r.Query.Has("messageExpiry") {
		p.MessageExpiry = uint32(min(max(expiry, 1), maxMessageExpiry))
	}
	if p.CorrelationData, err = base64.StdEncoding.DecodeString(r.Header.Get("x-amz-mqtt5-correlation-data")); err != nil {
		return nil, Invalid("correlationData must be base64.")
	}
	switch r.Header.Get("x-amz-mqtt5-payload-format-indicator") {
	case "", "UNSPECIFIED_BYTES":
	case "UTF8_DATA":
		p.PayloadFormat = utf8Format
		if !utf8.Valid(p.Payload) {
			return nil, Invalid("The payload is not UTF-8.")
		}
	default:
		return nil, Invalid("payloadFormatIndicator must be UNSPECIFIED_BYTES or UTF8_DATA.")
	}
	p.UserProperties, err = parseUserProperties(r.Header.Get("x-amz-mqtt5-user-properties"))
	return p, err
}

// parseUserProperties parses the base64 of a JSON array of objects with strings, such as
// [{"deviceName":"alpha"},{"deviceCnt":"45"}]. It keeps the order and repeated names.
func parseUserProperties(encoded string) (properties [][2]string, err error) {
	if encoded == "" {
		return nil, nil
	}
	invalid := Invalid("userProperties must be the base64 of a JSON array of objects with strings.")
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !utf8.Valid(text) {
		return nil, invalid
	}
	var objects []json.RawMessage
	if json.Unmarshal(text, &objects) != nil || objects == nil {
		return nil, invalid
	}
	for _, object := range objects {
		d := json.NewDecoder(bytes.NewReader(object))
		if start, err := d.Token(); err != nil || start != json.Delim('{') {
			return nil, invalid
		}
		for d.More() {
			name, _ := d.Token()
			value, err := d.Token()
			property := [2]string{}
			var isName, isValue bool
			property[0], isName = name.(string)
			property[1], isValue = value.(string)
			if err != nil || !isName || !isValue || !isText(property[0]) || !isText(property[1]) {
				return nil, invalid
			}
			properties = append(properties, property)
		}
	}
	return properties, nil
}

// isText reports whether a text can be an MQTT string [MQTT-1.5.4-1, MQTT-1.5.4-2].
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.Contains(s, "\x00") && len(s) < 1<<16
}

// isTopic reports whether a text can be a topic name. The message broker checks its length and depth.
func isTopic(s string) bool { return s != "" && isText(s) && !strings.ContainsAny(s, "+#") }
