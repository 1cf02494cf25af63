package bridge

import (
	"iot.wasm/wasm/abi"
	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
)

// host implements [client.Host] for the clients of a [Bridge]. Each method appends
// records. The type Effect in www/iot/abi.js declares the kinds of effect and their
// members, and a test compares it with the effects of host.
type host Bridge

// effect appends an effect without binary data. fill adds the members except kind.
func (h *host) effect(kind string, fill func(o *abi.Object)) {
	var o abi.Object
	o.Text("kind", kind)
	fill(&o)
	h.table.Effect(&o, nil)
}

func (h *host) Provide(attempt uint32, refused bool) {
	h.effect("provide", func(o *abi.Object) {
		o.Number("attempt", float64(attempt))
		o.Flag("refused", refused)
	})
}

func (h *host) Open(attempt uint32, url secret.String) {
	h.effect("open", func(o *abi.Object) {
		o.Number("attempt", float64(attempt))
		o.Text("url", url.Reveal())
	})
}

func (h *host) Close(attempt uint32, last []byte) {
	var o abi.Object
	o.Text("kind", "close")
	o.Number("attempt", float64(attempt))
	h.table.Effect(&o, last)
}

func (h *host) Probe(attempt uint32, url secret.String) {
	h.effect("probe", func(o *abi.Object) {
		o.Number("attempt", float64(attempt))
		o.Text("url", url.Reveal())
	})
}

func (h *host) StateChanged(c client.Change) {
	h.effect("state", func(o *abi.Object) {
		o.Text("event", c.Event)
		o.Text("state", string(c.State))
		o.Number("attempt", float64(c.Attempt))
		o.Flag("recovered", c.Recovered)
		if c.Granted != nil {
			o.Object("connection", connection(c.Granted))
		}
		if c.Err != nil {
			o.Object("error", errorObject(c.Err))
		}
		if c.RetryIn >= 0 {
			o.Number("retryInMs", milliseconds(c.RetryIn))
		}
	})
}

func (h *host) Message(d *client.Delivery) {
	flags := uint32(0)
	count := len(d.Recipients)
	if d.Listeners {
		flags |= abi.FlagListeners
		count++
	}
	if count > 1 {
		flags |= abi.FlagShared
	}
	if count == 0 {
		h.describe(d.Topic)
		return
	}
	h.message(d, flags)
}

func (h *host) Unclaimed(t *client.Topic, m *mqtt.Publish) {
	h.message(&client.Delivery{Topic: t, Message: m}, abi.FlagUnclaimed)
}

// message appends the record of a message, and before it the record of its topic if the
// page does not have the current one.
func (h *host) message(d *client.Delivery, flags uint32) {
	t, m := d.Topic, d.Message
	if t.Fresh {
		h.describe(t)
	}
	var selected []uint32
	if d.Selected {
		flags |= abi.FlagSelected
		selected = d.Recipients
	}
	flags |= uint32(m.QoS)
	if m.Retain {
		flags |= abi.FlagRetain
	}
	if m.Duplicate {
		flags |= abi.FlagDuplicate
	}
	if packet, in := abi.Address(m.Packet), abi.Address(h.input); packet < in || packet >= in+uint32(cap(h.input)) {
		flags |= abi.FlagOwnMemory
		h.table.Keep(m.Packet)
	}
	record := h.table.Message(t.ID, flags, m.Payload, m.Packet, m.Missing, selected)
	if len(m.Properties) == 0 {
		return
	}
	for p, rest, ok := mqtt.NextProperty(m.Properties); ok; p, rest, ok = mqtt.NextProperty(rest) {
		switch p.ID {
		case mqtt.TopicAlias, mqtt.SubscriptionIdentifier:
		case mqtt.PayloadFormat:
			if p.Number == 1 {
				h.table.SetFlags(record, abi.FlagUTF8)
			}
		default:
			if p.Data == nil {
				h.table.NumberProperty(record, byte(p.ID), p.Number)
			} else {
				h.table.Property(record, byte(p.ID), p.Data, p.Value)
			}
		}
	}
}

// describe appends a topic record if JavaScript does not have the current topic.
func (h *host) describe(t *client.Topic) {
	if t.Fresh {
		h.table.Topic(t.ID, t.First, t.Name, t.Recipients)
		h.table.Keep(t)
		t.Fresh, t.First = false, false
	}
}

func (h *host) Packet(out bool, packet []byte, size int) {
	sent := uint32(0)
	if out {
		sent = 1
	}
	h.table.Packet(sent, uint32(size), packet)
}

func (h *host) Done(token mqtt.Token, err *client.Error) {
	if err == nil {
		h.table.Done(uint32(token), 0)
		return
	}
	h.effect("failed", func(o *abi.Object) {
		o.Number("token", float64(token))
		o.Object("error", errorObject(err))
	})
}

// done appends an effect that resolves the promise of token with value.
func (h *host) done(token mqtt.Token, value *abi.Object) {
	h.effect("done", func(o *abi.Object) {
		o.Number("token", float64(token))
		o.Object("value", value)
	})
}

func (h *host) ConnectDone(token mqtt.Token, granted *mqtt.Connack) {
	h.done(token, connection(granted))
}

func (h *host) PublishDone(token mqtt.Token, r mqtt.PublishResult) {
	if r.ReasonString == "" && len(r.User) == 0 {
		h.table.Done(uint32(token), byte(r.Reason))
		return
	}
	var o abi.Object
	o.Number("reasonCode", float64(r.Reason))
	if r.ReasonString != "" {
		o.Text("reasonString", r.ReasonString)
	}
	if len(r.User) > 0 {
		pairs(&o, r.User)
	}
	h.done(token, &o)
}

func (h *host) SubscribeDone(token mqtt.Token, qos byte) { h.table.Done(uint32(token), qos) }

func (h *host) SubscriptionEnded(id uint32, err *client.Error) {
	h.effect("ended", func(o *abi.Object) {
		o.Number("subscription", float64(id))
		if err != nil {
			o.Object("error", errorObject(err))
		}
	})
}

// connection encodes a CONNACK as the interface Connection of www/iot.d.ts.
func connection(g *mqtt.Connack) *abi.Object {
	o := new(abi.Object)
	o.Text("clientId", g.ClientID)
	o.Flag("sessionPresent", g.SessionPresent)
	o.Number("keepAlive", float64(g.KeepAlive))
	o.Number("sessionExpiry", float64(g.SessionExpiry))
	o.Number("receiveMaximum", float64(g.ReceiveMaximum))
	o.Number("maximumQoS", float64(g.MaximumQoS))
	o.Number("maximumPacketSize", float64(g.MaximumPacketSize))
	o.Number("topicAliasMaximum", float64(g.TopicAliasMaximum))
	o.Flag("retainAvailable", g.RetainAvailable)
	o.Flag("wildcardSubscriptionAvailable", g.WildcardAvailable)
	o.Flag("sharedSubscriptionAvailable", g.SharedAvailable)
	o.Flag("subscriptionIdentifierAvailable", g.IdentifiersAvailable)
	pairs(o, g.User)
	return o
}

// pairs adds the member userProperties.
func pairs(o *abi.Object, list []mqtt.UserPair) {
	o.Pairs("userProperties", len(list), func(i int) (string, string) { return list[i].Name, list[i].Value })
}

// errorObject encodes an error as the type ErrorObject of www/iot/abi.js.
func errorObject(e *client.Error) *abi.Object {
	o := new(abi.Object)
	o.Text("class", string(e.Class))
	o.Text("code", e.Code)
	o.Text("phase", string(e.Phase))
	o.Flag("retryable", e.Retryable)
	o.Text("message", e.Message)
	if e.Reason != 0 {
		o.Number("reasonCode", float64(e.Reason))
	}
	if e.CloseCode != 0 {
		o.Number("closeCode", float64(e.CloseCode))
	}
	return o
}
