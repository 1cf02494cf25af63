package client

import (
	"errors"
	"time"

	"iot.wasm/wasm/mqtt"
)

// Publish sends or queues a message. It copies the parts of m that it needs after the
// call. It returns true if it has appended a QoS 0 message to the output. In that case
// it has called no method of the Host, and does not settle the token. Otherwise
// [Host.Done] or [Host.PublishDone] settles it.
func (c *Client) Publish(now time.Duration, m *mqtt.Outgoing) (sent bool) {
	c.now = now
	done, err := c.publish(m)
	switch {
	case err != nil:
		c.host.Done(m.Token, err)
	case done:
		c.stats.MessagesOut++
	}
	return done
}

// publish does the work of Publish, but returns the error.
func (c *Client) publish(m *mqtt.Outgoing) (bool, *Error) {
	if err := mqtt.CheckOutgoing(m); err != nil {
		return false, invalidMessage(m, err)
	}
	if c.stage == inactive {
		return false, errNotConnected
	}
	if c.awsQuotas {
		if err := quotaOfMessage(m); err != nil {
			return false, err
		}
		c.pacer.refill(c.now)
	}
	size := len(m.Topic) + len(m.Properties) + len(m.Payload)
	messages, bytes := c.engine.Waiting()
	if c.stage == connected {
		if held := c.engine.Held(); held > 0 && held+size > maxHeld {
			return false, failure(PhasePublish, "ERR_QUEUE_FULL", true, "%d bytes of messages are unsent or unacknowledged; await publish() before the next", held)
		}
	} else {
		switch {
		case m.QoS == 0 && c.options.OfflineQoS0 == RejectQoS0:
			return false, failure(PhasePublish, "ERR_OFFLINE_QOS0", true,
				"there is no connection, and QoS 0 is not queued; use qos: 1, or offline: {qos0: \"queue\"}")
		case m.QoS == 0 && c.options.OfflineQoS0 == DropQoS0:
			c.host.Done(m.Token, nil)
			return false, nil
		}
		for messages+1 > c.options.OfflineMessages || bytes+size > c.options.OfflineBytes {
			if !c.options.OfflineDropOldest || size > c.options.OfflineBytes || !c.engine.DropOldest() {
				return false, failure(PhasePublish, "ERR_QUEUE_FULL", true,
					"%d messages already wait for a connection (offline.maxMessages, offline.maxBytes)", messages)
			}
			messages, bytes = c.engine.Waiting()
		}
	}
	done, err := c.engine.Publish(c.now, m)
	if err != nil {
		return false, publishError(err)
	}
	return done, nil
}

// Cancel removes a message from the queue. The client then does not settle the token. If
// the client has sent the message, Cancel does nothing, and the client settles the token
// later.
func (c *Client) Cancel(now time.Duration, token mqtt.Token) {
	c.now = now
	c.engine.Cancel(token)
}

// invalidMessage converts an error of [mqtt.CheckOutgoing].
func invalidMessage(m *mqtt.Outgoing, err error) *Error {
	switch {
	case mqtt.ValidTopic(m.Topic) != nil:
		return badType("ERR_TOPIC", "topic is not a topic name: %v", err)
	case m.QoS > 2:
		return badRange("ERR_QOS", "%v", err)
	case errors.Is(err, mqtt.ErrTooLarge):
		return badRange("ERR_PACKET_TOO_LARGE", "the message is larger than MQTT allows (268,435,455 bytes)")
	}
	return badType("ERR_OPTION", "publish options: %v", err)
}
