package client

import (
	"errors"
	"time"

	"iot.wasm/wasm/mqtt"
)

// Publish takes a message. It reports true when a message of QoS 0 is in Output;
// otherwise the token is settled, now or later.
func (c *Client) Publish(now time.Duration, m *mqtt.Outgoing) bool {
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

func (c *Client) publish(m *mqtt.Outgoing) (bool, *Error) {
	if err := mqtt.CheckOutgoing(m); err != nil {
		return false, invalidMessage(m, err)
	}
	if c.phase == resting {
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
	if c.phase == serving {
		if held := c.engine.Held(); held > 0 && held+size > maxHeld {
			return false, failure(PhasePublish, "ERR_QUEUE_FULL", true, "%d bytes of messages are on their way already; await publish() before the next", held)
		}
	} else {
		switch {
		case m.QoS == 0 && c.options.OfflineQoS0 == RejectQoS0:
			return false, failure(PhasePublish, "ERR_OFFLINE_QOS0", true,
				"there is no connection just now, and QoS 0 is not queued; use qos: 1, or offline: {qos0: \"queue\"}")
		case m.QoS == 0 && c.options.OfflineQoS0 == DropQoS0:
			c.host.Done(m.Token, nil)
			return false, nil
		}
		for messages+1 > c.options.OfflineMessages || bytes+size > c.options.OfflineBytes {
			if !c.options.OfflineDropOldest || size > c.options.OfflineBytes || !c.engine.DropOldest() {
				return false, failure(PhasePublish, "ERR_QUEUE_FULL", true,
					"%d messages wait for a connection already (offline.maxMessages, offline.maxBytes)", messages)
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

// Cancel takes back a message that has not left yet. Nothing more is heard of its
// token; of one that has left, the answer goes nowhere.
func (c *Client) Cancel(now time.Duration, token mqtt.Token) {
	c.now = now
	c.engine.Cancel(token)
}

func invalidMessage(m *mqtt.Outgoing, err error) *Error {
	switch {
	case mqtt.ValidTopic(m.Topic) != nil:
		return badType("ERR_TOPIC", "topic is not one that can be published to: %v", err)
	case m.QoS > 2:
		return badRange("ERR_QOS", "%v", err)
	case errors.Is(err, mqtt.ErrTooLarge):
		return badRange("ERR_PACKET_TOO_LARGE", "the message is larger than MQTT allows (268,435,455 bytes)")
	}
	return badType("ERR_OPTION", "publish options: %v", err)
}
