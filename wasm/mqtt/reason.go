package mqtt

import "fmt"

// A Reason is an MQTT reason code (section 2.4). Codes from 0x80 on are failures.
type Reason byte

// The reason codes that this package and its callers refer to.
const (
	Success                Reason = 0x00
	UnspecifiedError       Reason = 0x80
	MalformedPacket        Reason = 0x81
	ProtocolError          Reason = 0x82
	UnsupportedVersion     Reason = 0x84
	ClientIDNotValid       Reason = 0x85
	BadUsernameOrPassword  Reason = 0x86
	NotAuthorized          Reason = 0x87
	Banned                 Reason = 0x8A
	BadAuthMethod          Reason = 0x8C
	KeepAliveTimeout       Reason = 0x8D
	SessionTakenOver       Reason = 0x8E
	TopicNameInvalid       Reason = 0x90
	PacketIDNotFound       Reason = 0x92
	ReceiveMaximumExceeded Reason = 0x93
	TopicAliasInvalid      Reason = 0x94
	PacketTooLarge         Reason = 0x95
	QuotaExceeded          Reason = 0x97
	PayloadFormatInvalid   Reason = 0x99
	RetainNotSupported     Reason = 0x9A
	QoSNotSupported        Reason = 0x9B
	UseAnotherServer       Reason = 0x9C
	ServerMoved            Reason = 0x9D
)

// Failed reports whether the code is a failure.
func (r Reason) Failed() bool { return r >= 0x80 }

// String returns the name of the code in the standard, and its number.
func (r Reason) String() string {
	if int(r) < len(reasons) && reasons[r].name != "" {
		return fmt.Sprintf("%s (0x%02X)", reasons[r].name, byte(r))
	}
	return fmt.Sprintf("unknown reason code (0x%02X)", byte(r))
}

// validFrom reports whether a server may send the code in a packet of type t.
func (r Reason) validFrom(t packetType) bool {
	return int(r) < len(reasons) && reasons[r].in&(1<<t) != 0
}

// reasons is table 2-6 of the standard. in has a bit for each packet type in which
// a server may send the code.
var reasons = [0xA3]struct {
	name string
	in   uint16
}{
	0x00: {"success", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typePubrel | 1<<typePubcomp | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	0x01: {"granted QoS 1", 1 << typeSuback},
	0x02: {"granted QoS 2", 1 << typeSuback},
	0x04: {"disconnect with will message", 0},
	0x10: {"no matching subscribers", 1<<typePuback | 1<<typePubrec},
	0x11: {"no subscription existed", 1 << typeUnsuback},
	0x80: {"unspecified error", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	0x81: {"malformed packet", 1<<typeConnack | 1<<typeDisconnect},
	0x82: {"protocol error", 1<<typeConnack | 1<<typeDisconnect},
	0x83: {"implementation specific error", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	0x84: {"unsupported protocol version", 1 << typeConnack},
	0x85: {"client identifier not valid", 1 << typeConnack},
	0x86: {"bad user name or password", 1 << typeConnack},
	0x87: {"not authorized", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	0x88: {"server unavailable", 1 << typeConnack},
	0x89: {"server busy", 1<<typeConnack | 1<<typeDisconnect},
	0x8A: {"banned", 1 << typeConnack},
	0x8B: {"server shutting down", 1 << typeDisconnect},
	0x8C: {"bad authentication method", 1<<typeConnack | 1<<typeDisconnect},
	0x8D: {"keep alive timeout", 1 << typeDisconnect},
	0x8E: {"session taken over", 1 << typeDisconnect},
	0x8F: {"topic filter invalid", 1<<typeSuback | 1<<typeUnsuback | 1<<typeDisconnect},
	0x90: {"topic name invalid", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeDisconnect},
	0x91: {"packet identifier in use", 1<<typePuback | 1<<typePubrec | 1<<typeSuback | 1<<typeUnsuback},
	0x92: {"packet identifier not found", 1<<typePubrel | 1<<typePubcomp},
	0x93: {"receive maximum exceeded", 1 << typeDisconnect},
	0x94: {"topic alias invalid", 1 << typeDisconnect},
	0x95: {"packet too large", 1<<typeConnack | 1<<typeDisconnect},
	0x96: {"message rate too high", 1 << typeDisconnect},
	0x97: {"quota exceeded", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeSuback | 1<<typeDisconnect},
	0x98: {"administrative action", 1 << typeDisconnect},
	0x99: {"payload format invalid", 1<<typeConnack | 1<<typePuback | 1<<typePubrec | 1<<typeDisconnect},
	0x9A: {"retain not supported", 1<<typeConnack | 1<<typeDisconnect},
	0x9B: {"QoS not supported", 1<<typeConnack | 1<<typeDisconnect},
	0x9C: {"use another server", 1<<typeConnack | 1<<typeDisconnect},
	0x9D: {"server moved", 1<<typeConnack | 1<<typeDisconnect},
	0x9E: {"shared subscriptions not supported", 1<<typeSuback | 1<<typeDisconnect},
	0x9F: {"connection rate exceeded", 1<<typeConnack | 1<<typeDisconnect},
	0xA0: {"maximum connect time", 1 << typeDisconnect},
	0xA1: {"subscription identifiers not supported", 1<<typeSuback | 1<<typeDisconnect},
	0xA2: {"wildcard subscriptions not supported", 1<<typeSuback | 1<<typeDisconnect},
}

// A connectionFault is a fault for which the engine ends the connection: a violation
// of the standard by the server (section 4.13), an exceeded limit, or a timeout.
// Reason is the reason code of the DISCONNECT that the engine sends.
type connectionFault struct {
	Reason Reason
	Detail string
}

func malformed(format string, args ...any) *connectionFault {
	return &connectionFault{MalformedPacket, fmt.Sprintf(format, args...)}
}

func violation(r Reason, format string, args ...any) *connectionFault {
	return &connectionFault{r, fmt.Sprintf(format, args...)}
}
