package localiot

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/faults"
	"iot.wasm/internal/localiot/web"

	"github.com/mochi-mqtt/server/v2/packets"
)

// maxControlRequest is the largest body of a request to /control, in bytes.
const maxControlRequest = 64 << 10

// serveControl injects the faults that the body requests; see faults.Request. It refuses requests from
// other machines.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
		s.refuse(w, r, http.StatusForbidden, web.Refusal{Check: "control", Code: "ForbiddenException", Message: "Faults can be requested from this machine only."})
		return
	}
	f, err := faults.Decode(http.MaxBytesReader(w, r.Body, maxControlRequest))
	changed := 0
	if err == nil {
		changed, err = s.inject(f)
	}
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, web.Refusal{Check: "control", Code: "InvalidParameterException", Message: err.Error()})
		return
	}
	s.options.Logger.Info("fault", "connections", changed)
	web.AllowOrigin(w, r)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"connections":%d}`+"\n", changed)
}

// inject applies the faults in the order of faults.Request, and returns the number of connections
// that it changed.
func (s *Server) inject(f *faults.Request) (changed int, err error) {
	if f.ExpireCredentials {
		s.keys.ExpireTemporary(s.clock.now())
	}
	if f.ForgetIdentities {
		s.cognito.ForgetIdentities()
	}
	if f.CredentialLifetime != nil {
		s.cognito.SetLifetime(seconds(*f.CredentialLifetime))
	}
	if f.ClockSkew != nil {
		s.clock.skew.Store(int64(seconds(*f.ClockSkew)))
	}
	s.faults.Schedule(f)
	for _, c := range s.connectionsOf(f.Freeze) {
		if s.faults.Freeze(c.tcp, c.mqtt.ClientID()) {
			changed++
		}
	}
	if f.Thaw != "" {
		changed += s.faults.Thaw(f.Thaw)
	}
	changed += s.cut(s.connectionsOf(f.Cut))
	if f.Disconnect != nil {
		for _, c := range s.connectionsOf(f.Disconnect.Client) {
			c.mqtt.Disconnect(packets.Code{Code: f.Disconnect.Reason})
			changed++
		}
	}
	if f.Restart != "" {
		n, err := s.restart(f.Restart == "keep-sessions")
		return changed + n, err
	}
	return changed, nil
}

// connectionsOf returns the connections of a client. For faults.AllClients it returns all connections,
// and for "" none.
func (s *Server) connectionsOf(clientID string) (list []*connection) {
	if clientID == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if clientID == faults.AllClients || clientID == c.mqtt.ClientID() {
			list = append(list, c)
		}
	}
	return list
}

// restart cuts every connection, and returns their number. Without keepSessions, it also replaces the
// broker, and deletes the stored sessions and retained messages.
func (s *Server) restart(keepSessions bool) (changed int, err error) {
	conns := s.connectionsOf(faults.AllClients)
	var old *broker.Broker
	if !keepSessions {
		s.mu.Lock()
		old = s.broker
		s.mu.Unlock()
		if err := old.Forget(); err != nil {
			return 0, err
		}
		replacement, err := s.newBroker()
		if err != nil {
			return 0, err
		}
		s.mu.Lock()
		s.broker = replacement
		conns = conns[:0]
		for c := range s.conns {
			conns = append(conns, c)
		}
		s.mu.Unlock()
	}
	changed = s.cut(conns)
	if old != nil {
		err = old.Close()
	}
	return changed, err
}

// cut resets connections, waits until the broker has ended all of them, and returns their number.
func (s *Server) cut(conns []*connection) int {
	for _, c := range conns {
		s.faults.Cut(c.tcp)
	}
	for _, c := range conns {
		<-c.ended
	}
	return len(conns)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
