package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"iot.wasm/wasm/mqtt"
)

// A Class is the JavaScript class of an [Error].
type Class string

const (
	// IotError is the class of all errors except those of arguments.
	IotError Class = "IotError"
	// TypeError is the class for arguments of a wrong type or form.
	TypeError Class = "TypeError"
	// RangeError is the class for numbers and lengths that are out of bounds.
	RangeError Class = "RangeError"
)

// A Phase is the step in which an [Error] occurred.
type Phase string

// The phases, in the order of the steps. PhaseSession is any time after CONNACK.
const (
	PhaseCredentials Phase = "credentials"
	PhaseSign        Phase = "sign"
	PhaseOpen        Phase = "open"
	PhaseConnect     Phase = "connect"
	PhaseSubscribe   Phase = "subscribe"
	PhasePublish     Phase = "publish"
	PhaseSession     Phase = "session"
)

// An Error is an error of the public API.
type Error struct {
	Class     Class
	Code      string      // stable, listed in docs/errors.md
	Phase     Phase       // every IotError has one; "": none
	Retryable bool        // another attempt may succeed
	Reason    mqtt.Reason // the broker's reason code; 0: none
	CloseCode int         // the WebSocket's close code; 0: none
	Message   string      // contains advice, and no key, token or signed URL
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// badType returns a TypeError.
func badType(code, format string, args ...any) *Error {
	return &Error{Class: TypeError, Code: code, Message: fmt.Sprintf(format, args...)}
}

// badRange returns a RangeError.
func badRange(code, format string, args ...any) *Error {
	return &Error{Class: RangeError, Code: code, Message: fmt.Sprintf(format, args...)}
}

// failure returns an IotError.
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

// publishError converts an error of the engine that concerns a message.
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
		return failure(PhasePublish, "ERR_PACKET_TOO_LARGE", false, "the message is larger than the broker accepts (see connection.maximumPacketSize; AWS IoT Core allows 128 KiB of payload)")
	case errors.Is(err, mqtt.ErrSessionLost):
		return failure(PhasePublish, "ERR_SESSION_LOST", true, "%v", err)
	case errors.Is(err, mqtt.ErrConnectionLost):
		return failure(PhasePublish, "ERR_CONNECTION_LOST", true, "the message was not sent: the connection ended")
	case errors.Is(err, mqtt.ErrAckTimeout):
		return ackTimeout(PhasePublish)
	case errors.Is(err, mqtt.ErrDropped):
		return failure(PhasePublish, "ERR_DROPPED", true, "the queue was full, and a newer message replaced this one (offline.overflow is drop-oldest)")
	}
	return failure(PhasePublish, "ERR_PUBLISH", false, "%v", err)
}

// connackError converts a CONNACK with a failure.
func connackError(ack *mqtt.Connack) *Error {
	code, advice, retry := "ERR_REFUSED", "", true
	switch ack.Reason {
	case mqtt.UnsupportedVersion:
		code, retry = "ERR_PROTOCOL_VERSION", false
		advice = "; the broker has no MQTT 5 support"
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
	e := failure(PhaseConnect, code, retry, "the broker refused the connection, %s%s", reasonText(ack.Reason, ack.ReasonString), advice)
	e.Reason = ack.Reason
	return e
}

// reasonText returns the name of a reason code, and at most 300 bytes of detail, for
// example of the broker's reason string.
func reasonText(r mqtt.Reason, detail string) string {
	if detail == "" {
		return r.String()
	}
	const most = 300
	if len(detail) > most {
		detail = strings.ToValidUTF8(detail[:most], "") + "…"
	}
	return r.String() + ": " + detail
}

// transient reports whether another attempt may succeed after the broker has refused a
// message or a topic filter with the reason code r.
func transient(r mqtt.Reason) bool {
	switch r {
	case 0x80, 0x83, 0x91, 0x97: // unspecified or implementation specific error, packet identifier in use, quota exceeded
		return true
	}
	return false
}

// blamesMessage reports whether a DISCONNECT with the reason code r means that a message
// of the client is not valid.
func blamesMessage(r mqtt.Reason) bool {
	switch r {
	case mqtt.TopicNameInvalid, mqtt.PacketTooLarge, mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported:
		return true
	}
	return false
}

// stopError converts the reason for which the engine or the broker ended a connection in
// the stage s.
func stopError(stop *mqtt.StopError, s stage) *Error {
	code, retry, advice := "ERR_DISCONNECTED", true, ""
	switch {
	case !stop.Local && (stop.Reason == mqtt.UseAnotherServer || stop.Reason == mqtt.ServerMoved):
		retry = false
	case stop.Reason == mqtt.SessionTakenOver && !stop.Local:
		code, retry = "ERR_SUPERSEDED", false
		advice = "; another connection uses the same clientId. Give each page its own, or leave clientId out"
	case stop.Reason == mqtt.KeepAliveTimeout && stop.Local:
		code = "ERR_KEEP_ALIVE"
	case stop.Reason == mqtt.UnspecifiedError && stop.Local:
		code = "ERR_ACK_TIMEOUT"
	case stop.Local:
		code = "ERR_PROTOCOL"
	}
	event := "the broker ended the connection"
	if stop.Local {
		event = "the client disconnected"
	}
	e := failure(PhaseSession, code, retry, "%s, %s%s", event, reasonText(stop.Reason, stop.Detail), advice)
	if s == handshake {
		e.Phase = PhaseConnect
	}
	if !stop.Local {
		e.Reason = stop.Reason
	}
	return e
}

// A Probe is the result of an HTTP request to the address of a WebSocket that did not
// open. It is the only source of the reason, because a browser does not report to a page
// why a WebSocket failed.
type Probe struct {
	Status  int    // the HTTP status; 0: the request failed
	Code    string // the code or exception name of the service's error; "": none
	Message string // the message of the service's error; "": none
	Offline bool   // the browser has no network connection
	Blocked bool   // the page's Content-Security-Policy forbids the WebSocket
	// Reported is true if a Content-Security-Policy of the page does not allow the HTTP
	// request. The browser may report the URL of such a request to a server.
	Reported bool
	// Dated is true if the page could read the Date header of the response.
	Dated bool
	// Skew is the time of the Date header minus the time of this machine.
	Skew time.Duration
}

// openError returns the error of a socket that did not open, with the reason p.
func openError(p Probe, closeCode int, o *Options) *Error {
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

// forbidden returns the error code and the advice for HTTP 401 or 403. The name of AWS's
// exception determines them. If one name has several meanings, the message distinguishes
// them.
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
