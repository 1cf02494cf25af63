package broker

import (
	"strings"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook implements the callbacks of mochi-mqtt.
type hook struct {
	mqtt.HookBase
	broker *Broker
}

// connOf returns the connection of a client. Conn.Serve has passed the connection to mochi-mqtt.
func connOf(cl *mqtt.Client) *Conn { return cl.Net.Conn.(*Conn) }

// Provides implements mqtt.Hook.
func (*hook) Provides(event byte) bool {
	switch event {
	case mqtt.OnPacketRead, mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnSessionEstablish, mqtt.OnPacketEncode, mqtt.OnSubscribe, mqtt.OnPublish, mqtt.OnPublished,
		mqtt.OnWill, mqtt.OnDisconnect, mqtt.OnClientExpired:
		return true
	}
	return false
}

// OnPacketRead adds a payload to a will without a payload, because mochi-mqtt refuses such a will.
// OnConnect removes the payload.
func (*hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Connect && connOf(cl).emptyWill {
		pk.Connect.WillPayload = []byte{0}
	}
	return pk, nil
}

// OnConnect checks a well-formed CONNECT and applies the limits of AWS IoT to it. It sends the CONNACK
// of a refused CONNECT.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c := connOf(cl)
	if code := h.broker.checkConnect(c, cl.ID, pk); code != packets.CodeSuccess {
		h.broker.server.SendConnack(cl, code, false, nil)
		return code
	}
	c.setClient(cl)

	// This disables the flow control of mochi-mqtt; see flowControl.
	cl.Properties.Props.ReceiveMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	// With aliases, mochi-mqtt stores a message in flight without its topic. It resends the message
	// without the topic on a new connection, on which the alias is not valid [MQTT-3.3.2-7].
	cl.Properties.Props.TopicAliasMaximum = 0

	if c.emptyWill {
		cl.Properties.Will.Payload = nil
	}
	if expiry := cl.Properties.Props.SessionExpiryInterval; cl.Properties.Will.WillDelayInterval > expiry {
		cl.Properties.Will.WillDelayInterval = expiry // the broker publishes the will when the session ends, MQTT 5, 3.1.3.2.2
	}
	if keepAlive := pk.Connect.Keepalive; keepAlive == 0 || keepAlive > maxKeepAlive {
		cl.State.Keepalive, cl.State.ServerKeepalive = maxKeepAlive, true
	} else if keepAlive < minKeepAlive {
		cl.State.Keepalive, cl.State.ServerKeepalive = minKeepAlive, true
	}
	return nil
}

// checkConnect returns the reason code of the CONNACK.
func (b *Broker) checkConnect(c *Conn, id string, pk packets.Packet) packets.Code {
	if b.options.RefuseConnect != nil {
		if reason, ok := b.options.RefuseConnect(); ok {
			return packets.Code{Code: reason}
		}
	}
	switch {
	case !b.options.NoQuotas && (len(id) > maxClientID || strings.HasPrefix(id, "$")):
		return packets.ErrClientIdentifierNotValid
	case pk.Connect.WillFlag && !mqtt.IsValidFilter(pk.Connect.WillTopic, true):
		return packets.ErrTopicNameInvalid
	case b.options.RateQuotas && !b.connects.allow(id, b.options.Now()):
		return packets.ErrQuotaExceeded
	case pk.Connect.WillFlag:
		return b.checkPublish(c, pk.Connect.WillTopic, len(pk.Connect.WillPayload), pk.Connect.WillRetain)
	}
	return packets.CodeSuccess
}

// OnConnectAuthenticate accepts every client, because the signature of the URL was verified.
func (*hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck checks a topic filter against the policy. It refuses topics below $SYS, where mochi-mqtt
// publishes statistics that AWS IoT does not have. OnPublish checks the topic of a PUBLISH, because
// OnACLCheck gets no topic if the PUBLISH has only an alias.
func (*hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	return !strings.HasPrefix(topic, "$SYS") && (write || connOf(cl).allowsTopic(topic))
}

// OnPublish checks a PUBLISH from a client before mochi-mqtt distributes it.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil // an answer of a Service
	}
	c := connOf(cl)
	if !c.withinRate() {
		return pk, packets.ErrRejectPacket
	}
	if code := h.broker.checkPublish(c, pk.TopicName, len(pk.Payload), pk.FixedHeader.Retain); code != packets.CodeSuccess {
		refusePublish(cl, pk, code)
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// OnSessionEstablish acquires Broker.sessions, and closes an older connection of the client with a
// DISCONNECT. mochi-mqtt calls it before it looks for an older session of the client.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	h.broker.sessions.Lock()
	connOf(cl).holdsSessions = true
	old, ok := h.broker.server.Clients.Get(cl.ID)
	if !ok {
		return
	}
	if pk.Connect.Clean {
		connOf(old).replacedByCleanStart.Store(true)
	} else if old.Properties.Will.WillDelayInterval > 0 {
		atomic.StoreUint32(&old.Properties.Will.Flag, 0) // the session continues, so no will is sent [MQTT-3.1.3-9]
	}
	connOf(old).Disconnect(packets.ErrSessionTakenOver)
}

// OnPacketEncode changes packets to the client. To a CONNACK it adds the limits that mochi-mqtt omits.
// In a SUBACK it sets the reason code of filters above the quota.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch pk.FixedHeader.Type {
	case packets.Publish:
		pk.Mods.MaxSize = 0 // flowControl enforces the maximum packet size of the client
	case packets.Suback:
		if cl.Properties.ProtocolVersion == 5 {
			for _, i := range connOf(cl).overQuota {
				pk.ReasonCodes[i] = packets.ErrQuotaExceeded.Code
			}
		}
	case packets.Connack:
		if c := connOf(cl); c.holdsSessions {
			c.holdsSessions = false
			h.broker.sessions.Unlock()
		}
		if pk.ReasonCode == packets.CodeSuccess.Code {
			p := &pk.Properties
			p.MaximumPacketSize = maximumPacketSize
			p.TopicAliasMaximum = topicAliasMaximum
			p.RetainAvailable, p.RetainAvailableFlag = 1, true
			p.WildcardSubAvailable, p.WildcardSubAvailableFlag = 1, true
			p.SharedSubAvailable, p.SharedSubAvailableFlag = 1, true
			p.SubIDAvailable, p.SubIDAvailableFlag = 0, true
		}
	}
	return pk
}

// OnSubscribe enforces the quotas. Like AWS IoT, it sends no retained messages to wildcard
// subscriptions.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if !h.broker.options.NoQuotas {
		h.broker.limitSubscriptions(cl, pk.Filters)
	}
	for i, sub := range pk.Filters {
		if strings.ContainsAny(sub.Filter, "+#") {
			pk.Filters[i].RetainHandling = 2 // do not send retained messages
		}
	}
	return pk
}

// OnWill removes the delay of a will whose session has ended. mochi-mqtt calls it before it decides
// whether to delay a will.
func (*hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	if connOf(cl).replacedByCleanStart.Load() {
		cl.Properties.Will.WillDelayInterval = 0 // the clean start has ended the session, MQTT 5, 3.1.3.2.2
	}
	return will, nil
}

// OnDisconnect acquires Broker.sessions. mochi-mqtt calls it before it ends the session of the client.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	h.broker.sessions.Lock()
	connOf(cl).holdsSessions = true
}

// OnClientExpired removes the subscriptions of an expired session, which mochi-mqtt does not do.
func (h *hook) OnClientExpired(cl *mqtt.Client) { h.broker.server.UnsubscribeClient(cl) }
