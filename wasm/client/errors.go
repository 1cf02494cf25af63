package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// A Class is the name of a JavaScript class of errors.
type Class string

const (
	// IotError is the class of errors that are not the caller's.
	IotError Class = "IotError"
	// TypeError is the class for arguments of a wrong type or form.
	TypeError Class = "TypeError"
	// RangeError is the class for numbers and lengths out of their bounds.
	RangeError Class = "RangeError"
)

// A Phase is the part of a connection's life in which an [Error] arose.
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

// An Error becomes an error of the page. Its message says what to do, and contains no
// key, token or signed URL.
type Error struct {
	Class     Class
	Code      string // stable, listed in docs/errors.md
	Phase     Phase
	Retryable bool
	Reason    mqtt.Reason // of the broker; 0: none
	CloseCode int         // of the WebSocket; 0: none
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
	return &Error{Class: IotError, Code: code, Phase: p, Retryable: retryable, Message: fmt.Sprintf(format, args...)}
}

var errNotConnected = failure(PhaseSession, "ERR_NOT_CONNECTED", false, "there is no connection; call connect() first")

func errClosed(p Phase) *Error {
	return failure(p, "ERR_CLOSED", false, "the client was disconnected by disconnect()")
}

func ackTimeout(p Phase) *Error {
	return failure(p, "ERR_ACK_TIMEOUT", true, "the broker did not acknowledge within ackTimeoutMs; "+
		"the client resumed the connection and sent the packet %d times", mqtt.MaxExpiries)
}

// publishError converts an error of the engine about a message.
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
		return failure(PhasePublish, "ERR_DROPPED", true, "the queue was full, and a newer message replaced this one (offline.overflow is drop-oldest)")
	}
	return failure(PhasePublish, "ERR_PUBLISH", false, "%v", err)
}

// refused converts a CONNACK with a failure.
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

// saying returns a reason code with the broker's reason string, shortened.
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

// transient reports whether a later attempt may succeed after a refusal for r.
func transient(r mqtt.Reason) bool {
	switch r {
	case 0x80, 0x83, 0x91, 0x97:
		return true
	}
	return false
}

// blames reports whether a DISCONNECT with r was caused by a message of the client.
func blames(r mqtt.Reason) bool {
	switch r {
	case mqtt.TopicNameInvalid, mqtt.PacketTooLarge, mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported:
		return true
	}
	return false
}

// ended converts the end of a connection, by either side, in the stage s.
func ended(why *mqtt.StopError, s stage) *Error {
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
	if s == handshake {
		e.Phase = PhaseConnect
	}
	if !why.Local {
		e.Reason = why.Reason
	}
	return e
}

// A Probe is the result of an HTTP request to the address of a WebSocket that did
// not open. Browsers do not tell the page why a WebSocket fails.
type Probe struct {
	Status  int    // HTTP status; 0: the request failed
	Code    string // of the service's error
	Message string // of the service's error
	Offline bool   // the browser has no network
	Blocked bool   // the page's policy forbids the WebSocket
	// Reported is true where a policy of the page does not allow the request. The
	// browser reports the URL of such a request to a server.
	Reported bool
	// Dated is true where the answer had a Date. Skew is the difference between it and
	// this machine's clock.
	Dated bool
	Skew  time.Duration
}

// explain converts the reason for a socket that did not open.
func explain(p Probe, closeCode int, o *Options) *Error {
	e := failure(PhaseOpen, "ERR_UNREACHABLE", true, "the WebSocket could not be opened, and the endpoint cannot be reached: "+
		"check the endpoint's name, the network, and the page's Content-Security-Policy (connect-src must name the endpoint)")
	e.CloseCode = closeCode
	detail := p.Message
	if detail != "" {
		detail = ": " + strings.TrimRight(detail, ".")
	}
	switch {
	case p.Blocked:
		e.Code, e.Retryable = "ERR_CSP", false
		e.Message = "the page's Content-Security-Policy forbids the endpoint; add its wss:// address to connect-src"
	case p.Offline:
		e.Code, e.Message = "ERR_OFFLINE", "the browser has no network connection"
	case p.Status == 0 && p.Reported:
		e.Message = "the WebSocket could not be opened, and the page's Content-Security-Policy does not allow the request that would find the reason; " +
			"add the endpoint's https:// address to connect-src"
	case p.Status == 0:
	case p.Status == 403 || p.Status == 401:
		e.Retryable = o.Fresh
		code, advice := forbidden(p, o)
		e.Code = code
		e.Message = fmt.Sprintf("the endpoint refused the connection (HTTP %d%s); %s", p.Status, detail, advice)
	default:
		e.Code = "ERR_UPGRADE"
		e.Message = fmt.Sprintf("the endpoint answered HTTP %d%s, and opened no WebSocket: check its path, and any proxy in between", p.Status, detail)
	}
	return e
}

// forbidden distinguishes AWS's reasons for HTTP 403: by the exception's name, and by
// its message where one name has several meanings.
func forbidden(p Probe, o *Options) (code, advice string) {
	aged := strings.HasPrefix(p.Message, "Signature expired")
	early := strings.HasPrefix(p.Message, "Signature not yet current")
	switch {
	case early, aged && o.Source == FromCredentials: // the signature was new
		return "ERR_CLOCK_SKEW", "this machine's clock and the service's are more than five minutes apart"
	case aged:
		return "ERR_SIGNATURE_EXPIRED", "the URL was signed more than five minutes ago; give connect() a function that returns a new one each time"
	}
	switch p.Code {
	case "SignatureDoesNotMatch", "InvalidSignatureException":
		return "ERR_SIGNATURE", "check secretAccessKey and region, and that the URL was not changed after signing"
	case "IncompleteSignatureException", "MissingAuthenticationToken":
		return "ERR_SIGNATURE", "the endpoint requires a signed URL: give connect() credentials, or a signed url"
	case "UnrecognizedClientException", "InvalidClientTokenId":
		return "ERR_ACCESS_KEY", "check accessKeyId and sessionToken"
	case "ExpiredTokenException", "ExpiredToken":
		return "ERR_CREDENTIALS_EXPIRED", "the temporary credentials have expired; give connect() a function that fetches new ones"
	}
	return "ERR_FORBIDDEN", "check that the credentials may use iot:Connect, and that the clock is right; " +
		"an authenticated Cognito identity also needs an AWS IoT policy attached to its identity id"
}
