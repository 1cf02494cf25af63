package client

import (
	"iot.wasm/wasm/mqtt"
)

// events implements [mqtt.Handler] for the engine of a [Client].
type events Client

func (ev *events) Connected(ack *mqtt.Connack) {
	c := (*Client)(ev)
	attempt := c.failures + 1
	c.stage = connected
	c.connectedAt = c.now
	c.failures, c.credentialsRefused = 0, false
	c.stats.Connects++
	recovered := c.everConnected && ack.SameSession
	c.everConnected = true
	c.resumeHeld(ack)
	c.resubscribe(ack)
	if !recovered {
		for _, id := range c.ids() {
			c.resetHistory(c.byID[id])
		}
	}
	c.sendSubscriptions() // the engine sends the queued messages afterwards
	waiters := c.connectWaiters
	c.connectWaiters = nil
	c.change(Connected, Change{Event: "connected", Attempt: attempt, Granted: ack, Recovered: recovered})
	for _, token := range waiters {
		c.host.ConnectDone(token, ack)
	}
}

func (ev *events) Refused(ack *mqtt.Connack) {
	ack.ReasonString = ev.secrets.redact(ack.ReasonString)
	ev.stopErr = connackError(ack)
}

func (ev *events) Stopped(stop *mqtt.StopError) {
	if ev.stopErr == nil {
		stop.Detail = ev.secrets.redact(stop.Detail)
		ev.stopErr = stopError(stop, ev.stage)
		if !stop.Local && blamesMessage(stop.Reason) {
			// A retransmission of the message would end the next connection, too.
			ev.messageBlamed = true
		}
	}
}

func (ev *events) Published(token mqtt.Token, r mqtt.PublishResult) {
	if r.Err != nil {
		ev.host.Done(token, publishError(r.Err))
		return
	}
	ev.stats.MessagesOut++
	if r.Reason.Failed() {
		e := failure(PhasePublish, "ERR_PUBLISH_REFUSED", transient(r.Reason), "the broker refused the message, %s", reasonText(r.Reason, ev.secrets.redact(r.ReasonString)))
		if r.Reason == mqtt.NotAuthorized {
			e.Message += "; the AWS IoT policy must allow iot:Publish to this topic (and iot:RetainPublish for retain)"
		}
		e.Reason = r.Reason
		ev.host.Done(token, e)
		return
	}
	ev.host.PublishDone(token, r)
}

func (ev *events) Sent(token mqtt.Token, err error) {
	if err != nil {
		ev.host.Done(token, publishError(err))
		return
	}
	ev.stats.MessagesOut++
	ev.host.Done(token, nil)
}
