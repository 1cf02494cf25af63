// Package lifecycle publishes the lifecycle events of AWS IoT Core: a message when a client connects,
// disconnects, fails to connect, subscribes or unsubscribes ("Lifecycle events" in the AWS IoT Core
// Developer Guide).
package lifecycle

import (
	"log/slog"
	"strings"
	"time"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/jsontext"
)

const topicPrefix = "$aws/events/"

// Events is a broker.Observer that publishes each event below $aws/events/. It is safe for concurrent use.
type Events struct {
	publish func(broker.Publication) error
	now     func() time.Time
	log     *slog.Logger
}

// New returns Events that publish with the function publish, and whose timestamps are from now.
func New(publish func(broker.Publication) error, now func() time.Time, log *slog.Logger) *Events {
	return &Events{publish, now, log}
}

// header begins the JSON of all events. Its members have the order of AWS's examples.
type header struct {
	ClientID  string `json:"clientId"`
	Timestamp int64  `json:"timestamp"` // ms since 1970
	EventType string `json:"eventType"`
}

// session identifies the connection in all events.
type session struct {
	SessionID string `json:"sessionIdentifier"`
	Principal string `json:"principalIdentifier"`
}

func sessionOf(c broker.ClientInfo) session { return session{c.SessionID, c.Principal} }

// Connected implements broker.Observer.
func (e *Events) Connected(c broker.ClientInfo) {
	e.send("presence", "connected", c, func(h header) any {
		return struct {
			header
			session
			Address string `json:"ipAddress"`
			Version int64  `json:"versionNumber"`
		}{h, sessionOf(c), c.Address, c.Version}
	})
}

// Disconnected implements broker.Observer. The event has the version number of the connection, as with AWS
// IoT.
func (e *Events) Disconnected(c broker.ClientInfo, reason string, clientInitiated bool) {
	e.send("presence", "disconnected", c, func(h header) any {
		return struct {
			header
			session
			ClientInitiated bool   `json:"clientInitiatedDisconnect"`
			Reason          string `json:"disconnectReason"`
			Version         int64  `json:"versionNumber"`
		}{h, sessionOf(c), clientInitiated, reason, c.Version}
	})
}

// ConnectFailed implements broker.Observer.
func (e *Events) ConnectFailed(c broker.ClientInfo) {
	e.send("presence", "connect_failed", c, func(h header) any {
		return struct {
			header
			Reason string `json:"connectFailureReason"`
			session
			Address string `json:"ipAddress"`
		}{h, "AUTHORIZATION_FAILED", sessionOf(c), c.Address}
	})
}

// Subscribed implements broker.Observer.
func (e *Events) Subscribed(c broker.ClientInfo, filters []string) {
	e.sendTopics("subscribed", c, filters)
}

// Unsubscribed implements broker.Observer.
func (e *Events) Unsubscribed(c broker.ClientInfo, filters []string) {
	e.sendTopics("unsubscribed", c, filters)
}

func (e *Events) sendTopics(event string, c broker.ClientInfo, filters []string) {
	e.send("subscriptions", event, c, func(h header) any {
		return struct {
			header
			session
			Topics []string `json:"topics"`
		}{h, sessionOf(c), filters}
	})
}

// send publishes an event. As with AWS IoT, a client whose id contains + or # has no events. Other client
// ids are part of the topic as they are, so an id with slashes adds levels.
func (e *Events) send(kind, event string, c broker.ClientInfo, content func(header) any) {
	if c.ClientID == "" || strings.ContainsAny(c.ClientID, "+#") {
		return
	}
	err := e.publish(broker.Publication{
		Topic:   topicPrefix + kind + "/" + event + "/" + c.ClientID,
		Payload: jsontext.Encode(content(header{c.ClientID, e.now().UnixMilli(), event})),
		QoS:     1, // The documentation does not state the QoS. With QoS 1, the subscription decides.
	})
	if err != nil {
		e.log.Warn("a lifecycle event was not published", "client", c.ClientID, "event", event, "error", err)
	}
}
