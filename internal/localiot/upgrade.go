package localiot

import (
	"net"
	"net/http"
	"strings"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/faults"
	"iot.wasm/internal/localiot/web"
)

// serveMQTT serves /mqtt. It authenticates the client, opens the WebSocket, and serves the
// connection until it ends.
func (s *Server) serveMQTT(w http.ResponseWriter, r *http.Request) {
	isHandshake := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if s.faults != nil {
		if status := s.faults.NextUpgrade(isHandshake); status != 0 {
			s.refuse(w, r, status, web.Refusal{Check: "fault", Message: http.StatusText(status)})
			return
		}
	}
	o, refusal := s.authenticate(r)
	if refusal != nil {
		s.refuse(w, r, http.StatusForbidden, *refusal)
		return
	}
	if !isHandshake {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		s.refuse(w, r, http.StatusUpgradeRequired, web.Refusal{Check: "upgrade", Code: "UpgradeRequiredException", Message: "The signature is valid. Open this URL as a WebSocket."})
		return
	}
	offered := subprotocol(r)
	if offered == "" {
		s.refuse(w, r, http.StatusBadRequest, web.Refusal{Check: "subprotocol", Code: "BadRequestException", Message: "The WebSocket must offer the subprotocol mqtt or mqttv3.1."})
		return
	}
	if !s.beginHandshake() {
		s.refuse(w, r, http.StatusServiceUnavailable, web.Refusal{Check: "closed", Code: "ServiceUnavailableException", Message: "The server is shutting down."})
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
	s.serveConn(socket, tcp, o)
}

// maxLogged is the length of the longest text of a request that a log line contains, in bytes.
const maxLogged = 200

// refuse sends a refusal, and logs it. The line does not contain the query, which contains the signature.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, refusal web.Refusal) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.options.Logger.Info("refused", "address", host, "check", refusal.Check, "status", status, "method", r.Method,
		"path", shorten(r.URL.Path), "host", shorten(r.Host), "origin", shorten(r.Header.Get("Origin")))
	web.Refuse(w, status, refusal)
}

func shorten(s string) string { return s[:min(len(s), maxLogged)] }

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
