// Package faults lets a test make the local AWS IoT Core fail. It holds the body of a POST to
// /control, the faults that wait for a later request, and a TCP connection that can be frozen and
// cut.
package faults

import (
	"encoding/json"
	"errors"
	"io"
)

// AllClients is the client id that selects all connections.
const AllClients = "*"

// minErrorReason is the lowest MQTT reason code that states an error [MQTT 5, 2.4].
const minErrorReason = 0x80

// Request is the body of a POST to /control. An omitted member changes nothing. The server applies
// the members in the order in which they are listed here, and then answers
// {"connections": the number of connections that were changed}. Members that name a client take an
// MQTT client id, or "*" for all clients.
type Request struct {
	ExpireCredentials  bool     `json:"expireCredentials"`  // expire all temporary keys
	ForgetIdentities   bool     `json:"forgetIdentities"`   // remove all Cognito identities
	CredentialLifetime *float64 `json:"credentialLifetime"` // lifetime of keys issued from now on, in seconds
	ClockSkew          *float64 `json:"clockSkew"`          // offset of the server's clock, in seconds: of the verifier, Cognito and the Date header

	// Cognito makes the next Count requests to Cognito fail with an exception such as
	// TooManyRequestsException. Count is 1 by default, as in the two members below; 0 cancels the
	// fault.
	Cognito *struct {
		Error string `json:"error"`
		Count *int   `json:"count"`
	} `json:"cognito"`

	// Upgrade refuses the next Count WebSocket handshakes with an HTTP status from 400 to 599.
	Upgrade *struct {
		Status int  `json:"status"`
		Count  *int `json:"count"`
	} `json:"upgrade"`

	// Connack answers the next Count CONNECT packets with a CONNACK that has this reason code.
	Connack *struct {
		Reason byte `json:"reason"`
		Count  *int `json:"count"`
	} `json:"connack"`

	Freeze string `json:"freeze"` // stop reading from and writing to the client's sockets, but leave them open
	Thaw   string `json:"thaw"`   // end Freeze
	Cut    string `json:"cut"`    // reset the client's TCP connections

	// Disconnect sends DISCONNECT with a reason code and closes the connection.
	Disconnect *struct {
		Client string `json:"client"`
		Reason byte   `json:"reason"`
	} `json:"disconnect"`

	// Restart cuts every connection. With "keep-sessions" the broker keeps its sessions and retained
	// messages; with "lose-sessions" a new broker starts without them.
	Restart string `json:"restart"`
}

// Decode reads a Request in JSON and checks the ranges of its members. It refuses unknown members.
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
