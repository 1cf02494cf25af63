package broker

import (
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// assignedPrefix begins the client ids that the Broker assigns. Clients cannot use them.
const assignedPrefix = "$GEN/"

// clientInitiated is AWS's disconnectReason after a DISCONNECT from the client.
const clientInitiated = "CLIENT_INITIATED_DISCONNECT"

// connect handles a CONNECT.
func (c *Conn) connect(pk *packets.Packet) error {
	if c.version != 0 {
		return packets.ErrProtocolViolationSecondConnect // [MQTT-3.1.0-2]
	}
	c.version = pk.ProtocolVersion
	name := string(pk.Connect.ProtocolName)
	if name == "MQTT" && c.version != 4 && c.version != 5 || name == "MQIsdp" && c.version != 3 {
		c.version = 4 // A CONNACK with code 1 has the form of MQTT 3.1.1 [MQTT-3.1.2-2].
		return c.refuseConnect(pk, packets.ErrUnsupportedProtocolVersion, "protocol-version")
	}
	if code, check := c.checkConnect(pk); code != packets.CodeSuccess {
		return c.refuseConnect(pk, code, check)
	}
	p := &pk.Connect
	ack := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Connack},
		ProtocolVersion: c.version,
		Properties:      c.broker.limits(),
	}
	if strings.HasPrefix(p.ClientIdentifier, assignedPrefix) {
		ack.Properties.AssignedClientID = p.ClientIdentifier
	}
	c.applyConnect(pk, &ack)
	if code, check := c.beginSession(pk, &ack); code != packets.CodeSuccess {
		return c.refuseConnect(pk, code, check)
	}
	c.log.Info("connect", "client", c.info.ClientID, "principal", c.info.Principal, "address", c.info.Address,
		"version", c.version, "sessionPresent", ack.SessionPresent, "keepAlive", int(c.keepAlive.Seconds()*2/3))
	if o := c.broker.options.Observer; o != nil {
		o.Connected(c.info)
	}
	return nil
}

// checkConnect returns the reason code of the CONNACK of a refused CONNECT and the name of the check that
// failed, or CodeSuccess. It sets c.authorizer, and assigns a client id if the CONNECT has none.
func (c *Conn) checkConnect(pk *packets.Packet) (code packets.Code, check string) {
	b := c.broker
	p := &pk.Connect
	if code := validateConnect(pk); code != packets.CodeSuccess {
		return code, "protocol"
	}
	if b.options.RefuseConnect != nil {
		if reason, ok := b.options.RefuseConnect(); ok {
			return packets.Code{Code: reason}, "fault"
		}
	}
	id := p.ClientIdentifier
	switch {
	case pk.Properties.AuthenticationMethod != "":
		return packets.ErrBadAuthenticationMethod, "authentication-method"
	case id == "" && (c.version == 3 || c.version == 4 && !p.Clean): // [MQTT-3.1.3-8] of MQTT 3.1.1
		return packets.ErrClientIdentifierNotValid, "client-id"
	case strings.HasPrefix(id, assignedPrefix), !b.options.NoQuotas && (len(id) > maxClientID || strings.HasPrefix(id, "$")):
		return packets.ErrClientIdentifierNotValid, "client-id"
	case p.WillFlag && p.WillQos > b.options.MaximumQoS:
		return packets.ErrQosNotSupported, "will-qos" // [MQTT-3.2.2-12]
	case p.WillFlag && (p.WillTopic == "" || hasWildcard(p.WillTopic)):
		return packets.ErrTopicNameInvalid, "will-topic"
	case b.options.RateQuotas && id != "" && !b.connects.allow(id, b.options.Now()):
		return packets.ErrQuotaExceeded, "connect-rate"
	}
	if id == "" {
		id = assignedPrefix + newUUID() // Policies apply to the assigned id.
		p.ClientIdentifier = id
	}
	if c.options.Login != nil {
		a, err := c.options.Login(id, string(p.Username), p.Password)
		if err != nil {
			c.loginError = err.Error()
			return packets.ErrNotAuthorized, "authorizer"
		}
		c.authorizer = a
		if l, ok := a.(Limited); ok {
			c.options.Principal = l.Principal()
			c.closeAt(l.Until(), "CUSTOMAUTH_TTL_EXPIRATION")
		}
	}
	if c.authorizer != nil && !c.authorizer.Connect(id, !p.Clean || expiryOf(pk) > 0, p.WillFlag) {
		return packets.ErrNotAuthorized, "policy"
	}
	if p.WillFlag {
		return b.checkPublish(c.authorizer, p.WillTopic, len(p.WillPayload), p.WillRetain)
	}
	return packets.CodeSuccess, ""
}

// validateConnect checks the rules of the protocol. The validation of mochi-mqtt accepts neither a will
// without a payload nor a password of zero length, so these have a byte meanwhile.
func validateConnect(pk *packets.Packet) packets.Code {
	p := &pk.Connect
	if p.WillFlag && len(p.WillPayload) == 0 {
		p.WillPayload = []byte{0}
		defer func() { p.WillPayload = nil }()
	}
	if p.PasswordFlag && len(p.Password) == 0 {
		p.Password = []byte{0}
		defer func() { p.Password = nil }()
	}
	return pk.ConnectValidate()
}

// expiryOf returns how long the session of a CONNECT continues after its connection. AWS IoT limits it to
// an account's maximum, by default one hour. A session of MQTT 3.1.1 without Clean Session has the same
// duration.
func expiryOf(pk *packets.Packet) time.Duration {
	seconds := uint32(0)
	if pk.ProtocolVersion == 5 {
		seconds = min(pk.Properties.SessionExpiryInterval, maxSessionExpiry)
	} else if !pk.Connect.Clean {
		seconds = maxSessionExpiry
	}
	return time.Duration(seconds) * time.Second
}

// limits returns the properties of each CONNACK that accepts a client.
func (b *Broker) limits() packets.Properties {
	return packets.Properties{
		ReceiveMaximum:           receiveMaximum,
		MaximumQos:               b.options.MaximumQoS,
		MaximumQosFlag:           b.options.MaximumQoS < 2,
		MaximumPacketSize:        maximumPacketSize,
		TopicAliasMaximum:        topicAliasMaximum,
		RetainAvailable:          1,
		RetainAvailableFlag:      true,
		WildcardSubAvailable:     1,
		WildcardSubAvailableFlag: true,
		SharedSubAvailable:       1,
		SharedSubAvailableFlag:   true,
		SubIDAvailableFlag:       true,
	}
}

// applyConnect applies the limits of a CONNECT to the connection, and adds to the CONNACK those that
// differ from the request.
func (c *Conn) applyConnect(pk, ack *packets.Packet) {
	p := &pk.Properties
	c.omitReasons = p.RequestProblemInfoFlag && p.RequestProblemInfo == 0
	c.window = receiveMaximum
	if p.ReceiveMaximum > 0 {
		c.window = min(c.window, int(p.ReceiveMaximum))
	}
	c.maximumPacketSize = maximumPacketSize + 1024 // A message that the Broker accepts may become longer.
	if p.MaximumPacketSize > 0 {
		c.maximumPacketSize = int(p.MaximumPacketSize)
	}
	keepAlive := pk.Connect.Keepalive
	if keepAlive == 0 {
		keepAlive = maxKeepAlive
	}
	keepAlive = min(max(keepAlive, minKeepAlive), maxKeepAlive)
	if keepAlive != pk.Connect.Keepalive {
		ack.Properties.ServerKeepAlive, ack.Properties.ServerKeepAliveFlag = keepAlive, true
	}
	if p.SessionExpiryInterval > maxSessionExpiry {
		ack.Properties.SessionExpiryInterval, ack.Properties.SessionExpiryIntervalFlag = maxSessionExpiry, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepAlive = time.Duration(keepAlive) * time.Second * 3 / 2 // [MQTT-3.1.2-22]
	if !c.closing {
		c.timer.Reset(c.keepAlive)
	}
}

// beginSession gives the connection its session, and sends the CONNACK and the stored messages. It
// returns a reason code if it must refuse the CONNECT.
func (c *Conn) beginSession(pk, ack *packets.Packet) (code packets.Code, check string) {
	b := c.broker
	p := &pk.Connect
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.sessions[p.ClientIdentifier]
	switch {
	case old != nil && !p.Clean && old.v5 != (c.version == 5):
		return packets.ErrUnspecifiedError, "session-version"
	case old == nil && len(b.sessions) >= maxSessions:
		return packets.ErrQuotaExceeded, "session-quota"
	}
	b.connections = max(b.connections+1, time.Now().UnixMilli())
	c.info = c.newInfo(p.ClientIdentifier)
	c.info.Version = b.connections
	s, present, changes := b.attach(c, p.ClientIdentifier, p.Clean)
	s.v5, s.expiry, s.will = c.version == 5, expiryOf(pk), newWill(pk)
	s.backlog = len(s.waiting)
	ack.SessionPresent = present && c.version > 3 // MQTT 3.1 has no such flag
	g := &gate{waiting: 1}
	connack := encode(ack, (*packets.Packet).ConnackEncode)
	c.mu.Lock()
	c.clientID = p.ClientIdentifier
	c.canDisconnect = c.version == 5 // [MQTT-3.14.0-1]
	c.mu.Unlock()
	c.reply(connack, g)
	changes = append(changes, b.sessionChange(s)...)
	changes = append(changes, b.pump(s)...)
	for _, sub := range s.subscriptions {
		changes = append(changes, b.moveGroup(sub)...)
	}
	c.submit(changes, g)
	c.open(g)
	return packets.CodeSuccess, ""
}

// newInfo returns the description of a new connection, without a version.
func (c *Conn) newInfo(clientID string) ClientInfo {
	return ClientInfo{ClientID: clientID, Principal: c.options.Principal, Address: c.options.Address, SessionID: newUUID()}
}

// refuseConnect sends a CONNACK with a reason code, and closes the connection.
func (c *Conn) refuseConnect(pk *packets.Packet, reason packets.Code, check string) error {
	args := []any{"client", pk.Connect.ClientIdentifier, "address", c.options.Address, "check", check, "reason", reason.Code}
	c.log.Info("refused", append(args, c.explain(check)...)...)
	ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connack}, ProtocolVersion: c.version, ReasonCode: reason.Code}
	if c.version < 5 {
		ack.ReasonCode = connectCode(reason.Code)
	}
	if ack.ReasonCode != 0 {
		c.reply(encode(&ack, (*packets.Packet).ConnackEncode), nil)
	}
	if o := c.broker.options.Observer; o != nil && (check == "policy" || check == "authorizer") {
		o.ConnectFailed(c.newInfo(pk.Connect.ClientIdentifier))
	}
	c.Close()
	return net.ErrClosed
}

// connectCode returns the code in a CONNACK of MQTT 3.1.1 for a reason code of MQTT 5. It returns 0 if a
// server must close the connection without a CONNACK [MQTT-3.1.4-1].
func connectCode(reason byte) byte {
	switch reason {
	case packets.ErrMalformedPacket.Code, packets.ErrProtocolViolation.Code:
		return 0
	case packets.ErrUnsupportedProtocolVersion.Code:
		return 1 // unacceptable protocol version
	case packets.ErrClientIdentifierNotValid.Code:
		return 2 // identifier rejected
	case packets.ErrUnspecifiedError.Code, packets.ErrServerUnavailable.Code, packets.ErrServerBusy.Code, packets.ErrQuotaExceeded.Code:
		return 3 // server unavailable
	case packets.ErrBadUsernameOrPassword.Code:
		return 4 // bad user name or password
	}
	return 5 // not authorized
}

// receiveDisconnect handles a DISCONNECT from the client.
func (c *Conn) receiveDisconnect(pk *packets.Packet) error {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := c.session; s != nil {
		if pk.Properties.SessionExpiryIntervalFlag {
			expiry := time.Duration(min(pk.Properties.SessionExpiryInterval, maxSessionExpiry)) * time.Second
			if expiry > 0 && !s.persistent() {
				return packets.ErrProtocolViolationZeroNonZeroExpiry // MQTT 5, 3.14.2.2.2
			}
			s.expiry = expiry
		}
		if pk.ReasonCode == 0 {
			s.will = nil // [MQTT-3.14.4-3]
		}
	}
	c.setCause(clientInitiated)
	return errDisconnect
}

// observe passes subscriptions that the client has begun or ended to the Observer.
func (c *Conn) observe(event func(Observer, ClientInfo, []string), list []*subscription) {
	o := c.broker.options.Observer
	if o == nil || len(list) == 0 {
		return
	}
	var filters []string
	for _, sub := range list {
		filters = append(filters, sub.filter)
	}
	event(o, c.info, filters)
}

// newUUID returns a random UUID [RFC 9562, 5.4].
func newUUID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
