package client

import (
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// Quotas of AWS IoT Core. AWS ends the connection of a client that exceeds a quota, or
// drops the client's messages.
// https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits
const (
	quotaPayload       = 128 << 10 // bytes
	quotaTopic         = 256       // bytes
	quotaSlashes       = 7
	quotaClientID      = 128 // bytes
	quotaSubscriptions = 50
	// connectInterval is the least time between two CONNECTs with one client id.
	connectInterval = time.Second
)

// AWS allows a connection 100 messages and 512 KiB per second, sent and received. The
// buckets of the pacer hold a burst, and refill at the pace per second. So the client uses
// at most the sum of burst and pace in one second. The sum is AWS's quota.
const (
	burstMessages, paceMessages = 20, 80
	burstBytes, paceBytes       = 128 << 10, 384 << 10
)

// quota returns the error of a call that exceeds a quota.
func quota(p Phase, format string, args ...any) *Error {
	e := failure(p, "ERR_QUOTA", false, format, args...)
	e.Message += `; AWS IoT Core would end the connection. For another broker, connect with quotas: "none"`
	return e
}

// quotaOfTopic checks a topic name or topic filter. kind is the word for it in the error.
func quotaOfTopic(p Phase, kind, topic string) *Error {
	counted := topic
	for _, prefix := range []string{"$aws/rules/", "$share/"} {
		if rest, ok := strings.CutPrefix(topic, prefix); ok {
			_, counted, _ = strings.Cut(rest, "/")
		}
	}
	switch {
	case len(counted) > quotaTopic:
		return quota(p, "%s has %d bytes; the quota is %d (without $aws/rules/<rule>/ and $share/<name>/)", kind, len(counted), quotaTopic)
	case strings.Count(counted, "/") > quotaSlashes:
		return quota(p, "%s has %d slashes; the quota is %d (without $aws/rules/<rule>/ and $share/<name>/)", kind, strings.Count(counted, "/"), quotaSlashes)
	}
	return nil
}

// quotaOfMessage checks a message or a will.
func quotaOfMessage(m *mqtt.Outgoing) *Error {
	switch {
	case m.QoS > 1:
		return quota(PhasePublish, "QoS 2 is not supported")
	case len(m.Payload) > quotaPayload:
		return quota(PhasePublish, "payload has %d bytes; the quota is %d (128 KiB)", len(m.Payload), quotaPayload)
	case m.Retain && strings.HasPrefix(string(m.Topic), "$"):
		return quota(PhasePublish, "retain cannot be used on reserved topics, which begin with $")
	}
	return quotaOfTopic(PhasePublish, "topic", string(m.Topic))
}

// quotas checks the options that CONNECT contains.
func (o *Options) quotas() *Error {
	switch {
	case len(o.ClientID) > quotaClientID:
		return quota(PhaseConnect, "clientId has %d bytes; the quota is %d", len(o.ClientID), quotaClientID)
	case strings.HasPrefix(o.ClientID, "$"):
		return quota(PhaseConnect, "clientId begins with $")
	case o.Will == nil:
		return nil
	}
	w := o.Will
	return quotaOfMessage(&mqtt.Outgoing{Topic: []byte(w.Topic), Payload: w.Payload, QoS: w.QoS, Retain: w.Retain})
}

// quotaOfSubscription checks a subscription. others is the number of other topic filters
// of the client.
func quotaOfSubscription(o *mqtt.Subscription, others int) *Error {
	if o.QoS > 1 {
		return quota(PhaseSubscribe, "QoS 2 is not supported")
	}
	if others >= quotaSubscriptions {
		return quota(PhaseSubscribe, "the quota is %d subscriptions in a connection", quotaSubscriptions)
	}
	return quotaOfTopic(PhaseSubscribe, "topic filter", o.Filter)
}

// useQuotas turns AWS's quotas on or off. The page may have subscribed before the client
// had the endpoint. If these subscriptions exceed the quotas, useQuotas refuses them.
func (c *Client) useQuotas(on bool) {
	c.awsQuotas = on
	if !on {
		return
	}
	kept := 0
	for _, f := range c.inOrder() {
		if err := quotaOfSubscription(&f.options, kept); err != nil {
			c.refuse(f, err)
		}
		if c.filters[f.options.Filter] == f { // refuse keeps a filter that the broker has
			kept++
		}
	}
}

// A pacer limits the rate of messages by two token buckets, for messages and bytes.
type pacer struct {
	messages, bytes float64       // the tokens
	at              time.Duration // time of the last refill
}

// newPacer returns a pacer with full buckets.
func newPacer(now time.Duration) pacer { return pacer{burstMessages, burstBytes, now} }

// refill adds tokens for the time since the last refill.
func (p *pacer) refill(now time.Duration) {
	d := (now - p.at).Seconds()
	if d <= 0 {
		return
	}
	p.at = now
	p.messages = min(burstMessages, p.messages+d*paceMessages)
	p.bytes = min(burstBytes, p.bytes+d*paceBytes)
}

// spend removes tokens for messages that the client has sent or received. The number of
// tokens may become negative.
func (p *pacer) spend(messages, bytes int) {
	p.messages -= float64(messages)
	p.bytes -= float64(bytes)
}

// wait returns the time until the client may send the next message, 0 for now.
func (p *pacer) wait() time.Duration {
	if p.messages >= 1 && p.bytes > 0 {
		return 0
	}
	seconds := max((1-p.messages)/paceMessages, (1-p.bytes)/paceBytes)
	return time.Duration(seconds * float64(time.Second))
}
