package localiot

import (
	"errors"
	"net/http"
	"strings"

	"iot.wasm/internal/sigv4verify"

	"nhooyr.io/websocket"
)

// maxMessageSize bounds one WebSocket message from a client, in bytes. A message may hold many MQTT
// packets and is read as a stream, so the bound is generous; packets have their own.
const maxMessageSize = 16 << 20

// serveMQTT checks the signature and opens the WebSocket, at /mqtt as AWS IoT does.
func (s *Server) serveMQTT(w http.ResponseWriter, r *http.Request) {
	isUpgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if s.pending != nil {
		if status := s.pending.upgrade(isUpgrade); status != 0 {
			(&refusal{status, http.StatusText(status), "", "fault"}).write(w)
			return
		}
	}
	if err := s.verifier.Verify(r); err != nil {
		var e *sigv4verify.Error
		if !errors.As(err, &e) {
			e = &sigv4verify.Error{Check: "signature", Code: "ForbiddenException", Message: "Forbidden"}
		}
		(&refusal{http.StatusForbidden, e.Message, e.Code, e.Check}).write(w)
		return
	}
	id, _, _ := strings.Cut(r.URL.Query().Get("X-Amz-Credential"), "/")
	key, ok := s.keys.granted(id)
	if !ok || !key.policy.allowsConnect() {
		(&refusal{http.StatusForbidden, "Forbidden", "ForbiddenException", "policy"}).write(w)
		return
	}
	if !isUpgrade {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		(&refusal{http.StatusUpgradeRequired, "The signature is valid. Open this URL as a WebSocket.", "UpgradeRequiredException", "upgrade"}).write(w)
		return
	}
	if !offers(r, "mqtt") {
		(&refusal{http.StatusBadRequest, "The WebSocket must offer the subprotocol mqtt.", "BadRequestException", "subprotocol"}).write(w)
		return
	}
	if !s.enter() {
		(&refusal{http.StatusServiceUnavailable, "The server shuts down.", "ServiceUnavailableException", "closed"}).write(w)
		return
	}
	defer s.open.Done()
	h := &hijacker{ResponseWriter: w}
	if s.pending != nil {
		w = h
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{"mqtt"},
		InsecureSkipVerify: true, // the guard has checked the Origin, against a list and not only against Host
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	s.serveConn(ws, h.wire, key.policy)
}

// offers says whether the client lists a subprotocol [RFC 6455, 11.3.4].
func offers(r *http.Request, subprotocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(offered) == subprotocol {
				return true
			}
		}
	}
	return false
}
