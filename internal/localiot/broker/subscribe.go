package broker

import (
	"bytes"

	"iot.wasm/internal/localiot/store"

	"github.com/mochi-mqtt/server/v2/packets"
)

// subscribe handles a SUBSCRIBE.
func (c *Conn) subscribe(pk *packets.Packet) error {
	b := c.broker
	for _, f := range pk.Filters {
		switch {
		case f.RetainHandling > 2:
			return packets.ErrProtocolViolation // MQTT 5, 3.8.3.1
		case f.NoLocal && isShared(f.Filter):
			return packets.ErrProtocolViolationInvalidSharedNoLocal // [MQTT-3.8.3-4]
		case f.Qos > b.options.MaximumQoS:
			// AWS IoT sends no SUBACK ("AWS IoT differences from MQTT specifications"). The documentation
			// does not state what it sends instead; here it is DISCONNECT 0x9B, as for a PUBLISH.
			return packets.ErrQosNotSupported
		}
	}
	c.observe(Observer.Subscribed, c.addSubscriptions(pk))
	return nil
}

// addSubscriptions adds the subscriptions of a SUBSCRIBE, and sends the SUBACK and retained messages. It
// returns the subscriptions that it has added.
func (c *Conn) addSubscriptions(pk *packets.Packet) (granted []*subscription) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	s := c.session
	if s == nil {
		return nil
	}
	suback := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Suback},
		ProtocolVersion: c.version,
		PacketID:        pk.PacketID,
	}
	var sendRetained []*subscription
	for _, f := range pk.Filters {
		old := s.subscriptions[f.Filter]
		code, check := c.checkSubscribe(f.Filter, old != nil)
		if code != packets.CodeSuccess {
			c.logRefusal(check, f.Filter)
			if c.version < 5 {
				code = packets.ErrUnspecifiedError // [MQTT-3.9.3-2] of MQTT 3.1.1
			}
			suback.ReasonCodes = append(suback.ReasonCodes, code.Code)
			continue
		}
		c.log.Info("subscribe", "client", s.id, "filter", f.Filter, "qos", f.Qos)
		sub := &subscription{session: s, filter: f.Filter, qos: f.Qos, noLocal: f.NoLocal, retainAsPublished: f.RetainAsPublished}
		b.replaceSubscription(old, sub)
		suback.ReasonCodes = append(suback.ReasonCodes, f.Qos)
		granted = append(granted, sub)
		// As with AWS IoT, a filter with wildcards gets no retained messages.
		if !isShared(f.Filter) && !hasWildcard(f.Filter) && (f.RetainHandling == 0 || f.RetainHandling == 1 && old == nil) {
			sendRetained = append(sendRetained, sub)
		}
	}
	g := &gate{waiting: 1}
	c.reply(encode(&suback, (*packets.Packet).SubackEncode), g)
	var changes []store.Change
	if len(granted) > 0 {
		changes = b.sessionChange(s)
	}
	for _, sub := range sendRetained {
		if r := b.retainedMessage(sub.filter); r != nil {
			changes = append(changes, b.deliver(s, &delivery{message: r.message, qos: min(r.message.qos, sub.qos), retain: true})...)
		}
	}
	for _, sub := range granted {
		changes = append(changes, b.moveGroup(sub)...)
	}
	c.submit(changes, g)
	c.open(g)
	return granted
}

// checkSubscribe returns the reason code with which a filter is refused, and the name of the check that
// failed, or CodeSuccess. The caller holds Broker.mu.
func (c *Conn) checkSubscribe(filter string, replaces bool) (code packets.Code, check string) {
	b := c.broker
	plain := withoutShareGroup(filter)
	quotas := !b.options.NoQuotas
	switch {
	case !validFilter(filter):
		return packets.ErrTopicFilterInvalid, "filter"
	case isShared(filter) && len(filter)-len(plain)-len("$share//") > maxShareName, quotas && !fitsQuota(filter):
		return packets.ErrTopicFilterInvalid, "filter-quota"
	case c.authorizer != nil && !c.authorizer.Subscribe(plain):
		return packets.ErrNotAuthorized, "policy"
	case !b.maySubscribe(plain):
		return packets.ErrNotAuthorized, "reserved-topic"
	case quotas && !replaces && len(c.session.subscriptions) >= maxSubscriptions:
		return packets.ErrQuotaExceeded, "subscription-quota"
	}
	return packets.CodeSuccess, ""
}

// replaceSubscription adds a subscription of a session. old is its subscription to the same filter, or
// nil. The caller holds b.mu.
func (b *Broker) replaceSubscription(old, sub *subscription) {
	sub.session.subscriptions[sub.filter] = sub
	if old == nil || old.group == nil {
		b.addSubscription(sub) // replaces a subscription that is not shared
		return
	}
	sub.group = old.group // keeps the messages that wait in the group
	for i, m := range sub.group.members {
		if m == old {
			sub.group.members[i] = sub
		}
	}
}

// unsubscribe handles an UNSUBSCRIBE.
func (c *Conn) unsubscribe(pk *packets.Packet) error {
	c.observe(Observer.Unsubscribed, c.removeSubscriptions(pk))
	return nil
}

// removeSubscriptions removes the subscriptions of an UNSUBSCRIBE, and sends the UNSUBACK. It returns the
// subscriptions that it has removed.
func (c *Conn) removeSubscriptions(pk *packets.Packet) (removed []*subscription) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	s := c.session
	if s == nil {
		return nil
	}
	unsuback := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Unsuback},
		ProtocolVersion: c.version,
		PacketID:        pk.PacketID,
	}
	var changes []store.Change
	for _, f := range pk.Filters {
		sub := s.subscriptions[f.Filter]
		if sub == nil {
			unsuback.ReasonCodes = append(unsuback.ReasonCodes, packets.CodeNoSubscriptionExisted.Code)
			continue
		}
		c.log.Info("unsubscribe", "client", s.id, "filter", f.Filter)
		delete(s.subscriptions, f.Filter)
		changes = append(changes, b.removeSubscription(sub)...)
		removed = append(removed, sub)
		unsuback.ReasonCodes = append(unsuback.ReasonCodes, packets.CodeSuccess.Code)
	}
	g := &gate{waiting: 1}
	c.reply(encode(&unsuback, (*packets.Packet).UnsubackEncode), g)
	if len(removed) > 0 {
		changes = append(changes, b.sessionChange(s)...)
	}
	c.submit(changes, g)
	c.open(g)
	return removed
}

// encode encodes a packet of the Broker.
func encode(pk *packets.Packet, encoder func(*packets.Packet, *bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encoder(pk, &b); err != nil {
		panic(err) // The Broker has set all members that the encoder needs.
	}
	return b.Bytes()
}
