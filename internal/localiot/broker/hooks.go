package broker

import (
	"strings"
	"sync/atomic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook is where the broker asks.
type hook struct {
	mqtt.HookBase
	broker *Broker
}

// connOf returns the connection of a client; every client has come by serve.
func connOf(cl *mqtt.Client) *Conn { return cl.Net.Conn.(*Conn) }

// Provides implements mqtt.Hook.
func (*hook) Provides(event byte) bool {
	switch event {
	case mqtt.OnPacketRead, mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck,
		mqtt.OnSessionEstablish, mqtt.OnPacketEncode, mqtt.OnSubscribe, mqtt.OnPublish, mqtt.OnWill,
		mqtt.OnDisconnect, mqtt.OnClientExpired:
		return true
	}
	return false
}

// OnPacketRead gives a will without a payload one, as the broker refuses it otherwise.
func (*hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Connect && connOf(cl).emptyWill {
		pk.Connect.WillPayload = []byte{0}
	}
	return pk, nil
}

// OnConnect sees a CONNECT that is well-formed.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c := connOf(cl)
	if code := h.broker.judgeConnect(c, cl.ID, pk); code != packets.CodeSuccess {
		h.broker.server.SendConnack(cl, code, false, nil)
		return code
	}
	c.accept(cl)

	// The broker's own flow control stalls, and so is switched off; see flow.
	cl.Properties.Props.ReceiveMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	// It keeps the alias in place of the topic with a message in flight, and would resend it so on
	// a new connection, which has no aliases [MQTT-3.3.2-7].
	cl.Properties.Props.TopicAliasMaximum = 0

	if c.emptyWill {
		cl.Properties.Will.Payload = nil
	}
	if expiry := cl.Properties.Props.SessionExpiryInterval; cl.Properties.Will.WillDelayInterval > expiry {
		cl.Properties.Will.WillDelayInterval = expiry // the session's end sends the will, MQTT 5, 3.1.3.2.2
	}
	if keepAlive := pk.Connect.Keepalive; keepAlive == 0 || keepAlive > maxKeepAlive {
		cl.State.Keepalive, cl.State.ServerKeepalive = maxKeepAlive, true
	} else if keepAlive < minKeepAlive {
		cl.State.Keepalive, cl.State.ServerKeepalive = minKeepAlive, true
	}
	return nil
}

// judgeConnect says what to answer to a CONNECT.
func (b *Broker) judgeConnect(c *Conn, id string, pk packets.Packet) packets.Code {
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
		return b.judge(c, pk.Connect.WillTopic, len(pk.Connect.WillPayload))
	}
	return packets.CodeSuccess
}

// OnConnectAuthenticate lets everybody in: the URL was signed.
func (*hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck allows what the policy does, less the broker's statistics, which AWS IoT does not have.
// Of a PUBLISH it sees no topic when there is an alias, so that OnPublish judges those.
func (*hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	return !strings.HasPrefix(topic, "$SYS") && (write || connOf(cl).allowsTopic(topic))
}

// OnPublish sees a PUBLISH of a client before anybody gets it.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	c := connOf(cl)
	if !c.allowRate() {
		return pk, packets.ErrRejectPacket
	}
	if code := h.broker.judge(c, pk.TopicName, len(pk.Payload)); code != packets.CodeSuccess {
		refusePublish(cl, pk, code)
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// OnSessionEstablish comes before the broker looks for an older session of the client.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	h.broker.sessions.Lock()
	connOf(cl).inSession = true
	old, ok := h.broker.server.Clients.Get(cl.ID)
	if !ok {
		return
	}
	if pk.Connect.Clean {
		connOf(old).replaced.Store(true)
	} else if old.Properties.Will.WillDelayInterval > 0 {
		atomic.StoreUint32(&old.Properties.Will.Flag, 0) // the session goes on [MQTT-3.1.3-9]
	}
	connOf(old).Disconnect(packets.ErrSessionTakenOver)
}

// OnPacketEncode completes a CONNACK, in which the broker announces three of its limits only.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch pk.FixedHeader.Type {
	case packets.Publish:
		pk.Mods.MaxSize = 0 // see flow
	case packets.Suback:
		if cl.Properties.ProtocolVersion == 5 {
			for _, i := range connOf(cl).excess {
				pk.ReasonCodes[i] = packets.ErrQuotaExceeded.Code
			}
		}
	case packets.Connack:
		if c := connOf(cl); c.inSession {
			c.inSession = false
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

// OnSubscribe keeps to the quotas, and retained messages from wildcard subscriptions, as AWS IoT does.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if !h.broker.options.NoQuotas {
		h.broker.limitSubscriptions(cl, pk.Filters)
	}
	for i, sub := range pk.Filters {
		if strings.ContainsAny(sub.Filter, "+#") {
			pk.Filters[i].RetainHandling = 2
		}
	}
	return pk
}

// OnWill comes before the broker looks whether a will is to be delayed.
func (*hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	if connOf(cl).replaced.Load() {
		cl.Properties.Will.WillDelayInterval = 0 // a clean start has ended the session, MQTT 5, 3.1.3.2.2
	}
	return will, nil
}

// OnDisconnect comes before the broker ends the client's session, if it is to end.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	h.broker.sessions.Lock()
	connOf(cl).inSession = true
}

// OnClientExpired removes the subscriptions of an expired session, which the broker forgets.
func (h *hook) OnClientExpired(cl *mqtt.Client) { h.broker.server.UnsubscribeClient(cl) }
