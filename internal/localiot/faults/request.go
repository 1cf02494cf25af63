// Package faults injects faults into the local AWS IoT Core, for tests. It defines the body of a POST
// to /control, stores the faults for later requests, and implements a TCP connection that can be frozen
// and cut.
package faults

import (
	"encoding/json"
	"errors"
	"io"
)

// AllClients is the client id that selects all connections.
const AllClients = "*"

// minErrorReason is the lowest MQTT reason code of an error [MQTT 5, 2.4].
const minErrorReason = 0x80

// Request is the body of a POST to /control. An omitted member has no effect. The server applies the
// members in the order of this list. The body of the response is {"connections":n}; n is the number of
// connections that Freeze, Thaw, Cut, Disconnect and Restart have changed. The value of a member that
// selects clients is an MQTT client id, or "*" for all clients.
type Request struct {
	ExpireCredentials  bool     `json:"expireCredentials"`  // expire all temporary keys
	ForgetIdentities   bool     `json:"forgetIdentities"`   // remove all Cognito identities
	CredentialLifetime *float64 `json:"credentialLifetime"` // lifetime in seconds of the keys that Cognito issues later
	ClockSkew          *float64 `json:"clockSkew"`          // seconds to add to the server's clock, which the verifier, Cognito, the rate quotas and the Date header use

	// Cognito refuses the next Count requests to Cognito with the exception Error, for example
	// TooManyRequestsException. In this member, in Upgrade and in Connack, the default of Count is 1,
	// and 0 cancels an earlier fault.
	Cognito *struct {
		Error string `json:"error"`
		Count *int   `json:"count"`
	} `json:"cognito"`

	// Upgrade refuses the next Count WebSocket handshakes with an HTTP status from 400 to 599.
	Upgrade *struct {
		Status int  `json:"status"`
		Count  *int `json:"count"`
	} `json:"upgrade"`

	// Connack refuses the next Count CONNECT packets with a reason code from 128 to 255.
	Connack *struct {
		Reason byte `json:"reason"`
		Count  *int `json:"count"`
	} `json:"connack"`

	Freeze string `json:"freeze"` // transmit nothing on the client's TCP connections, but do not close them
	Thaw   string `json:"thaw"`   // end the effect of Freeze
	Cut    string `json:"cut"`    // reset the client's TCP connections

	// Disconnect sends DISCONNECT with a reason code to a client, and closes the connection.
	Disconnect *struct {
		Client string `json:"client"`
		Reason byte   `json:"reason"`
	} `json:"disconnect"`

	// Restart cuts every connection. With "keep-sessions" the broker keeps its sessions and retained
	// messages; with "lose-sessions" a new broker starts without them.
	Restart string `json:"restart"`
}

// Decode reads a Request in JSON. It returns an error for an unknown member, and for a member whose
// value is out of range.
func Decode(r io.Reader) (*Request, error) {
	var f Request
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	switch {
	case f.CredentialLifetime != nil && *f.CredentialLifetime <= 0:
		return nil, errors.New("credentialLifetime must be a number of seconds above 0")
	case f.Cognito != nil && f.Cognito.Error == "":
		return nil, errors.New("cognito.error must be the name of an exception")
	case f.Upgrade != nil && (f.Upgrade.Status < 400 || f.Upgrade.Status > 599):
		return nil, errors.New("upgrade.status must be a number from 400 to 599")
	case f.Connack != nil && f.Connack.Reason < minErrorReason:
		return nil, errors.New("connack.reason must be a reason code from 128 to 255")
	case f.Disconnect != nil && f.Disconnect.Client == "":
		return nil, errors.New(`disconnect.client must be a client id, or "*"`)
	case f.Restart != "" && f.Restart != "keep-sessions" && f.Restart != "lose-sessions":
		return nil, errors.New("restart must be keep-sessions or lose-sessions")
	}
	return &f, nil
}
