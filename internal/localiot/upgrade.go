package localiot

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/faults"
	"iot.wasm/internal/localiot/iam"
	"iot.wasm/internal/localiot/web"
	"iot.wasm/internal/sigv4verify"
)

// serveMQTT serves /mqtt. It verifies the signature of the URL, opens the WebSocket, and serves the
// connection until it ends.
func (s *Server) serveMQTT(w http.ResponseWriter, r *http.Request) {
	isHandshake := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if s.faults != nil {
		if status := s.faults.NextUpgrade(isHandshake); status != 0 {
			web.Refuse(w, status, web.Refusal{Check: "fault", Message: http.StatusText(status)})
			return
		}
	}
	if err := s.verifier.Verify(r); err != nil {
		var e *sigv4verify.Error
		if !errors.As(err, &e) {
			e = &sigv4verify.Error{Check: "signature", Code: "ForbiddenException", Message: "Forbidden"}
		}
		web.Refuse(w, http.StatusForbidden, web.Refusal{Check: e.Check, Code: e.Code, Message: e.Message})
		return
	}
	id, _, _ := strings.Cut(r.URL.Query().Get("X-Amz-Credential"), "/")
	key, ok := s.keys.Get(id)
	session := s.policies.Session(key.Owner, connectionFacts(r))
	if !ok || !session.MayConnect() {
		web.Refuse(w, http.StatusForbidden, web.Refusal{Check: "policy", Code: "ForbiddenException", Message: "Forbidden"})
		return
	}
	if !isHandshake {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		web.Refuse(w, http.StatusUpgradeRequired, web.Refusal{Check: "upgrade", Code: "UpgradeRequiredException", Message: "The signature is valid. Open this URL as a WebSocket."})
		return
	}
	offered := subprotocol(r)
	if offered == "" {
		web.Refuse(w, http.StatusBadRequest, web.Refusal{Check: "subprotocol", Code: "BadRequestException", Message: "The WebSocket must offer the subprotocol mqtt or mqttv3.1."})
		return
	}
	if !s.beginHandshake() {
		web.Refuse(w, http.StatusServiceUnavailable, web.Refusal{Check: "closed", Code: "ServiceUnavailableException", Message: "The server is shutting down."})
		return
	}
	defer s.active.Done()
	var tcp *faults.Conn
	var wrap func(net.Conn) net.Conn
	if s.faults != nil {
		wrap = func(c net.Conn) net.Conn {
			tcp = faults.NewConn(c)
			return tcp
		}
	}
	socket, err := broker.Accept(w, r, offered, wrap) // web.Guard has checked the Origin
	if err != nil {
		return
	}
	s.serveConn(socket, tcp, broker.ConnOptions{
		Authorizer: session,
		Address:    connectionFacts(r).Address,
	})
}

// connectionFacts returns the facts about the connection of r that policies can use.
func connectionFacts(r *http.Request) iam.Connection {
	c := iam.Connection{Domain: r.Host}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		c.Domain = host
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Address = from.Addr().Unmap().String()
	}
	return c
}

// subprotocol returns the subprotocol for the response to a handshake: mqtt, mqttv3.1 if the handshake
// offers only that, or "". AWS's older clients offer mqttv3.1, also for MQTT 3.1.1.
func subprotocol(r *http.Request) string {
	for _, name := range []string{"mqtt", "mqttv3.1"} {
		if offersSubprotocol(r, name) {
			return name
		}
	}
	return ""
}

// offersSubprotocol reports whether the handshake offers a subprotocol [RFC 6455, 11.3.4].
func offersSubprotocol(r *http.Request, subprotocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(offered) == subprotocol {
				return true
			}
		}
	}
	return false
}
