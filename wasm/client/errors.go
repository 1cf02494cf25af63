package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// A Class is the kind of JavaScript error that an [Error] becomes.
type Class byte

// IotError is for what goes wrong in the world; the other two are for what the
// caller got wrong.
const (
	IotError Class = iota
	TypeError
	RangeError
)

// A Phase is what was going on when an [Error] arose.
type Phase string

// The phases, in the order of a connection's life.
const (
	PhaseCredentials Phase = "credentials"
	PhaseSign        Phase = "sign"
	PhaseOpen        Phase = "open"
	PhaseConnect     Phase = "connect"
	PhaseSubscribe   Phase = "subscribe"
	PhasePublish     Phase = "publish"
	PhaseSession     Phase = "session"
)

// An Error is what the page gets to see. Its text says what to do, and never
// holds a key, a token or a signed URL.
type Error struct {
	Class     Class
	Code      string // stable, listed in the README
	Phase     Phase
	Retryable bool
	Reason    mqtt.Reason // 0: the broker gave none
	CloseCode int         // 0: no socket closed
	Message   string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func badType(code, format string, args ...any) *Error {
	return &Error{Class: TypeError, Code: code, Message: fmt.Sprintf(format, args...)}
}

func badRange(code, format string, args ...any) *Error {
	return &Error{Class: RangeError, Code: code, Message: fmt.Sprintf(format, args...)}
}

func failure(p Phase, code string, retryable bool, format string, args ...any) *Error {
	return &Error{Code: code, Phase: p, Retryable: retryable, Message: fmt.Sprintf(format, args...)}
}

var errNotConnected = failure(PhaseSession, "ERR_NOT_CONNECTED", false, "there is no connection; call connect() first")

func errClosed(p Phase) *Error {
	return failure(p, "ERR_CLOSED", false, "the client was disconnected by disconnect()")
}

func ackTimeout(p Phase) *Error {
	return failure(p, "ERR_ACK_TIMEOUT", true, "the broker did not acknowledge within ackTimeoutMs; "+
		"the connection is dropped and resumed, and what was sent %d times without an answer is given up", mqtt.MaxExpiries)
}

// publishError turns what the engine says of a message into what the page sees.
func publishError(err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, mqtt.ErrQoSNotGranted):
		return failure(PhasePublish, "ERR_QOS_NOT_SUPPORTED", false, "the broker does not accept this QoS (see connection.maximumQoS; AWS IoT Core has no QoS 2)")
	case errors.Is(err, mqtt.ErrRetainNotGranted):
		return failure(PhasePublish, "ERR_RETAIN_NOT_SUPPORTED", false, "the broker keeps no retained messages (see connection.retainAvailable)")
	case errors.Is(err, mqtt.ErrTooLarge):
		return failure(PhasePublish, "ERR_PACKET_TOO_LARGE", false, "the message is larger than the broker accepts (see connection.maximumPacketSize; AWS IoT Core takes payloads of 128 KiB)")
	case errors.Is(err, mqtt.ErrSessionLost):
		return failure(PhasePublish, "ERR_SESSION_LOST", true, "%v", err)
	case errors.Is(err, mqtt.ErrConnectionLost):
		return failure(PhasePublish, "ERR_CONNECTION_LOST", true, "the connection was lost before the message left")
	case errors.Is(err, mqtt.ErrAckTimeout):
		return ackTimeout(PhasePublish)
	case errors.Is(err, mqtt.ErrDropped):
		return failure(PhasePublish, "ERR_DROPPED", true, "the queue was full, and newer messages took this one's place (offline.overflow is drop-oldest)")
	}
	return failure(PhasePublish, "ERR_PUBLISH", false, "%v", err)
}

// refused is what a CONNACK with a failure means.
func refused(ack *mqtt.Connack) *Error {
	code, advice, retry := "ERR_REFUSED", "", true
	switch ack.Reason {
	case mqtt.UnsupportedVersion:
		code, retry = "ERR_PROTOCOL_VERSION", false
		advice = "; the broker does not speak MQTT 5"
	case mqtt.ClientIDNotValid:
		code, retry = "ERR_CLIENT_ID", false
		advice = "; choose another clientId (AWS: at most 128 bytes, not starting with $)"
	case mqtt.BadUsernameOrPassword:
		code, retry = "ERR_BAD_PASSWORD", false
		advice = "; check username and password"
	case mqtt.NotAuthorized:
		code, retry = "ERR_NOT_AUTHORIZED", false
		advice = "; the AWS IoT policy must allow iot:Connect for this client id (and iot:ConnectAttributes for sessions and wills). " +
			"With an authenticated Cognito identity, attach an AWS IoT policy to the identity id"
	case mqtt.Banned, mqtt.BadAuthMethod, mqtt.UseAnotherServer, mqtt.ServerMoved, mqtt.ProtocolError, mqtt.MalformedPacket,
		mqtt.PacketTooLarge, mqtt.TopicNameInvalid, mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported:
		retry = false
	}
	e := failure(PhaseConnect, code, retry, "the broker refused the connection, %s%s", saying(ack.Reason, ack.ReasonString), advice)
	e.Reason = ack.Reason
	return e
}

// saying is a reason code with the broker's own words, as far as they are few.
func saying(r mqtt.Reason, words string) string {
	if words == "" {
		return r.String()
	}
	const most = 300
	if len(words) > most {
		words = strings.ToValidUTF8(words[:most], "") + "…"
	}
	return r.String() + ": " + words
}

// transient reports whether what was refused for r may be granted later.
func transient(r mqtt.Reason) bool {
	switch r {
	case 0x80, 0x83, 0x91, 0x97:
		return true
	}
	return false
}

// blames reports whether a DISCONNECT with r is for a message that we sent.
func blames(r mqtt.Reason) bool {
	switch r {
	case mqtt.TopicNameInvalid, mqtt.PacketTooLarge, mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported:
		return true
	}
	return false
}

// ended is what it means that a connection was stopped by either side, in the
// phase p.
func ended(why *mqtt.StopError, p phase) *Error {
	code, retry, advice := "ERR_DISCONNECTED", true, ""
	switch {
	case !why.Local && (why.Reason == mqtt.UseAnotherServer || why.Reason == mqtt.ServerMoved):
		retry = false
	case why.Reason == mqtt.SessionTakenOver && !why.Local:
		code, retry = "ERR_SUPERSEDED", false
		advice = "; another connection uses the same clientId. Give each page its own, or leave clientId out"
	case why.Reason == mqtt.KeepAliveTimeout && why.Local:
		code = "ERR_KEEP_ALIVE"
	case why.Reason == mqtt.UnspecifiedError && why.Local:
		code = "ERR_ACK_TIMEOUT"
	case why.Local:
		code = "ERR_PROTOCOL"
	}
	who := "the broker ended the connection"
	if why.Local {
		who = "the connection was ended"
	}
	e := failure(PhaseSession, code, retry, "%s, %s%s", who, saying(why.Reason, why.Detail), advice)
	if p == handshake {
		e.Phase = PhaseConnect
	}
	if !why.Local {
		e.Reason = why.Reason
	}
	return e
}

// A Probe is what a plain HTTPS request to the address of a refused WebSocket
// brought to light: browsers hide it from the socket itself.
type Probe struct {
	Status  int    // 0: the request failed too
	Code    string // the service's own name for the error
	Message string // its words
	Offline bool   // the browser says that it has no network
	Blocked bool   // it says that the page's own policy forbids the address
	// Reported: a policy of the page does not allow the request, so that its URL
	// has been, or would be, sent to a server of the policy's choice.
	Reported bool
	// Dated: the answer had a Date, which was that much ahead of this machine's
	// clock.
	Dated bool
	Skew  time.Duration
}

// explain says why a socket did not open.
func explain(p Probe, closeCode int, o *Options) *Error {
	e := failure(PhaseOpen, "ERR_UNREACHABLE", true, "the WebSocket could not be opened, and the endpoint cannot be reached: "+
		"check the endpoint's name, the network, and the page's Content-Security-Policy (connect-src must name the endpoint)")
	e.CloseCode = closeCode
	said := p.Message
	if said != "" {
		said = ": " + strings.TrimRight(said, ".")
	}
	switch {
	case p.Blocked:
		e.Code, e.Retryable = "ERR_CSP", false
		e.Message = "the page's Content-Security-Policy forbids the endpoint; add its wss:// address to connect-src"
	case p.Offline:
		e.Code, e.Message = "ERR_OFFLINE", "the browser has no network connection"
	case p.Status == 0 && p.Reported:
		e.Message = "the WebSocket could not be opened, and the page's Content-Security-Policy does not let the client ask the endpoint for the reason; " +
			"add the endpoint's https:// address to connect-src to learn it"
	case p.Status == 0:
	case p.Status == 403 || p.Status == 401:
		e.Retryable = o.Fresh
		code, advice := forbidden(p, o)
		e.Code = code
		e.Message = fmt.Sprintf("the endpoint refused the connection (HTTP %d%s); %s", p.Status, said, advice)
	default:
		e.Code = "ERR_UPGRADE"
		e.Message = fmt.Sprintf("the endpoint answers (HTTP %d%s), but opened no WebSocket: check its path, and any proxy in between", p.Status, said)
	}
	return e
}

// forbidden tells AWS's reasons for HTTP 403 apart: by the exception's name, and
// by the words where one name stands for several.
func forbidden(p Probe, o *Options) (code, advice string) {
	aged := strings.HasPrefix(p.Message, "Signature expired")
	early := strings.HasPrefix(p.Message, "Signature not yet current")
	switch {
	case early, aged && o.Source == FromCredentials: // it was signed a moment ago
		return "ERR_CLOCK_SKEW", "this machine's clock and the service's are more than five minutes apart"
	case aged:
		return "ERR_SIGNATURE_EXPIRED", "the URL was signed more than five minutes ago; give connect() a function that returns a new one each time"
	}
	switch p.Code {
	case "SignatureDoesNotMatch", "InvalidSignatureException":
		return "ERR_SIGNATURE", "check secretAccessKey and region, and that nothing has changed the URL after it was signed"
	case "IncompleteSignatureException", "MissingAuthenticationToken":
		return "ERR_SIGNATURE", "the endpoint wants a signed URL: give connect() credentials, or a url that is signed"
	case "UnrecognizedClientException", "InvalidClientTokenId":
		return "ERR_ACCESS_KEY", "check accessKeyId and sessionToken"
	case "ExpiredTokenException", "ExpiredToken":
		return "ERR_CREDENTIALS_EXPIRED", "the temporary credentials have expired; give connect() a function that fetches new ones"
	}
	return "ERR_FORBIDDEN", "check that the credentials may use iot:Connect, and that the clock is right; " +
		"an authenticated Cognito identity also needs an AWS IoT policy attached to its identity id"
}
