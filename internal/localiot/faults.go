package localiot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// everybody stands for all client ids.
const everybody = "*"

// faults is the body of a POST to /control, for tests: what is to go wrong. Members that are left
// out change nothing; the others take effect in the order that they have here, before the answer,
// {"connections": how many of them were hit}. A client is named by its client id, and "*" is all.
type faults struct {
	ExpireCredentials  bool     `json:"expireCredentials"`  // all temporary keys that have been handed out
	ForgetIdentities   bool     `json:"forgetIdentities"`   // those of Cognito
	CredentialLifetime *float64 `json:"credentialLifetime"` // s, of keys that are handed out from now on
	ClockSkew          *float64 `json:"clockSkew"`          // s, of the verifier's clock, Cognito's, and the Date header's

	// The next requests to Cognito fail with Error, such as TooManyRequestsException; the next
	// upgrades with an HTTP status; the next CONNECTs with the reason code of CONNACK. Count is 1
	// when left out, and with 0 all is well again.
	Cognito *struct {
		Error string `json:"error"`
		Count *int   `json:"count"`
	} `json:"cognito"`
	Upgrade *struct {
		Status int  `json:"status"`
		Count  *int `json:"count"`
	} `json:"upgrade"`
	Connack *struct {
		Reason byte `json:"reason"`
		Count  *int `json:"count"`
	} `json:"connack"`

	Freeze     string `json:"freeze"` // neither read from nor write to this client, but leave the socket open
	Thaw       string `json:"thaw"`
	Cut        string `json:"cut"` // reset the TCP connection, with no goodbye
	Disconnect *struct {
		Client string `json:"client"`
		Reason byte   `json:"reason"`
	} `json:"disconnect"`

	// Restart cuts every connection, and then either keeps the sessions and retained messages
	// ("keep-sessions") or starts without them ("lose-sessions").
	Restart string `json:"restart"`
}

func (f *faults) check() error {
	switch {
	case f.CredentialLifetime != nil && *f.CredentialLifetime <= 0:
		return errors.New("credentialLifetime is a number of seconds above 0")
	case f.Cognito != nil && f.Cognito.Error == "":
		return errors.New("cognito.error is the name of an exception")
	case f.Upgrade != nil && (f.Upgrade.Status < 400 || f.Upgrade.Status > 599):
		return errors.New("upgrade.status is a number from 400 to 599")
	case f.Connack != nil && f.Connack.Reason < packets.ErrUnspecifiedError.Code:
		return errors.New("connack.reason is a reason code from 128 to 255")
	case f.Disconnect != nil && f.Disconnect.Client == "":
		return errors.New(`disconnect.client is a client id, or "*"`)
	case f.Restart != "" && f.Restart != "keep-sessions" && f.Restart != "lose-sessions":
		return errors.New("restart is keep-sessions or lose-sessions")
	}
	return nil
}

// countdown is something to do a number of times.
type countdown[V any] struct {
	what V
	n    int
}

func (c *countdown[V]) next() (what V, ok bool) {
	if c.n <= 0 {
		return what, false
	}
	c.n--
	return c.what, true
}

func times(count *int) int {
	if count == nil {
		return 1
	}
	return *count
}

// pending holds the faults that wait for something to happen.
type pending struct {
	mu       sync.Mutex
	upgrades countdown[int]
	refused  int // the status that the last upgrade was refused with, or 0
	connacks countdown[byte]
	frozen   map[*wire]string // client ids
}

// upgrade returns the status to refuse a request with, or 0. Who asks why, without an upgrade, gets
// the answer of the last one that was refused.
func (p *pending) upgrade(isUpgrade bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if isUpgrade {
		p.refused, _ = p.upgrades.next()
	}
	return p.refused
}

func (p *pending) connack() (reason byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connacks.next()
}

// thaw lets the frozen connections of a client go on, if only to their end.
func (p *pending) thaw(client string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w, id := range p.frozen {
		if client == everybody || client == id {
			w.thaw()
			delete(p.frozen, w)
			n++
		}
	}
	return n
}

// serveControl answers programs on this machine only, whoever else the server is open to.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
		(&refusal{http.StatusForbidden, "Faults are for this machine only.", "ForbiddenException", "control"}).write(w)
		return
	}
	var f faults
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	body.DisallowUnknownFields()
	err := body.Decode(&f)
	if err == nil {
		err = f.check()
	}
	hit := 0
	if err == nil {
		hit, err = s.inject(&f)
	}
	if err != nil {
		(&refusal{http.StatusBadRequest, err.Error(), "InvalidParameterException", "control"}).write(w)
		return
	}
	allowOrigin(w, r)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"connections":%d}`+"\n", hit)
}

// inject makes the faults happen, and returns how many connections they hit.
func (s *Server) inject(f *faults) (hit int, err error) {
	if f.ExpireCredentials {
		s.keys.expire(s.clock.now())
	}
	if f.ForgetIdentities {
		s.cognito.forget()
	}
	if f.CredentialLifetime != nil {
		s.cognito.setLifetime(seconds(*f.CredentialLifetime))
	}
	if f.ClockSkew != nil {
		s.clock.skew.Store(int64(seconds(*f.ClockSkew)))
	}
	if f.Cognito != nil {
		s.cognito.fail(f.Cognito.Error, times(f.Cognito.Count))
	}
	s.pending.mu.Lock()
	if f.Upgrade != nil {
		s.pending.upgrades, s.pending.refused = countdown[int]{f.Upgrade.Status, times(f.Upgrade.Count)}, 0
	}
	if f.Connack != nil {
		s.pending.connacks = countdown[byte]{f.Connack.Reason, times(f.Connack.Count)}
	}
	for _, c := range s.clients(f.Freeze) {
		c.wire.freeze()
		s.pending.frozen[c.wire] = c.clientID()
		hit++
	}
	s.pending.mu.Unlock()
	if f.Thaw != "" {
		hit += s.pending.thaw(f.Thaw)
	}
	hit += cut(s.clients(f.Cut))
	if f.Disconnect != nil {
		for _, c := range s.clients(f.Disconnect.Client) {
			c.refuse(packets.Code{Code: f.Disconnect.Reason})
			hit++
		}
	}
	if f.Restart != "" {
		n, err := s.restart(f.Restart == "keep-sessions")
		return hit + n, err
	}
	return hit, nil
}

// clients returns the connections of a client.
func (s *Server) clients(id string) (list []*conn) {
	if id == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if id == everybody || id == c.clientID() {
			list = append(list, c)
		}
	}
	return list
}

// restart cuts every connection, and puts a new broker in the place of the old unless its sessions
// are to be kept.
func (s *Server) restart(keepSessions bool) (hit int, err error) {
	old := s.clients(everybody)
	var gone *broker
	if !keepSessions {
		next, err := newBroker(s.options, s.clock, s.pending)
		if err != nil {
			return 0, err
		}
		s.mu.Lock()
		gone, s.broker = s.broker, next
		old = old[:0]
		for c := range s.conns {
			old = append(old, c)
		}
		s.mu.Unlock()
	}
	hit = cut(old)
	if gone != nil {
		err = gone.Close()
	}
	return hit, err
}

// cut cuts connections, and returns when the broker has noticed.
func cut(list []*conn) (hit int) {
	for _, c := range list {
		c.wire.cut()
	}
	for _, c := range list {
		<-c.gone
	}
	return len(list)
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
