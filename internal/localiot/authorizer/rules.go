// Package authorizer implements the custom authorizers of AWS IoT Core ("Connecting to AWS IoT Core by using
// custom authentication"). In AWS an authorizer invokes a Lambda function. Here the rules in a file decide:
//
//	{"authorizers": [{
//	  "name": "door",
//	  "tokenKeyName": "token",
//	  "publicKey": "-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n",
//	  "rules": [{
//	    "token": "open-sesame",
//	    "principalId": "visitor",
//	    "policyDocuments": [{"Version": "2012-10-17", "Statement": […]}],
//	    "disconnectAfterInSeconds": 86400,
//	    "refreshAfterInSeconds": 300
//	  }]
//	}]}
//
// With "signingDisabled": true an authorizer needs no key, and a rule must contain token, username or
// password. A rule applies if all of these three members that it contains are equal to those of the client;
// the first rule that applies counts. "default": true selects the authorizer for clients that name none.
package authorizer

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"iot.wasm/internal/localiot/iam"
)

const (
	// maxFile is the largest rule file, in bytes.
	maxFile = 16 << 20

	// The limits of "Defining your Lambda function" and "Creating and managing custom authorizers".
	maxDocuments = 10
	minInterval  = 300   // s
	maxInterval  = 86400 // s
	minKeyBits   = 2048
)

// file is the content of a rule file.
type file struct {
	Authorizers []*authorizer `json:"authorizers"`
}

// An authorizer is a custom authorizer.
type authorizer struct {
	Name            string  `json:"name"`
	TokenKeyName    string  `json:"tokenKeyName"`
	PublicKey       string  `json:"publicKey"` // PEM
	SigningDisabled bool    `json:"signingDisabled"`
	Default         bool    `json:"default"`
	Rules           []*rule `json:"rules"`

	key *rsa.PublicKey
}

// A rule states which clients an authorizer accepts, and the result of the Lambda function for them.
type rule struct {
	Token    *string `json:"token"`
	Username *string `json:"username"`
	Password *string `json:"password"`

	PrincipalID              string            `json:"principalId"`
	PolicyDocuments          []json.RawMessage `json:"policyDocuments"`
	DisconnectAfterInSeconds int               `json:"disconnectAfterInSeconds"`
	RefreshAfterInSeconds    int               `json:"refreshAfterInSeconds"`

	documents []*iam.Document
}

var (
	namePattern      = regexp.MustCompile(`^[\w=,@-]{1,128}$`)      // "AWS IoT Core API Reference", CreateAuthorizer
	tokenKeyPattern  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`) // the same page
	principalPattern = regexp.MustCompile(`^[a-zA-Z0-9]{1,128}$`)
)

// parse parses the content of a rule file.
func parse(text []byte) (*file, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) { // its text contains a number as it is, which may be a password
		return nil, fmt.Errorf("the member %s has the wrong type", mistyped.Field)
	} else if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("it contains more than one JSON value")
	}
	if len(f.Authorizers) == 0 {
		return nil, errors.New("it contains no authorizer")
	}
	var names []string
	defaults := 0
	for i, a := range f.Authorizers {
		if a == nil || !namePattern.MatchString(a.Name) {
			return nil, fmt.Errorf(`authorizer %d: the name must have 1 to 128 characters of [\w=,@-]`, i+1)
		}
		if slices.Contains(names, a.Name) {
			return nil, fmt.Errorf("authorizer %s: another authorizer has the name", a.Name)
		}
		names = append(names, a.Name)
		if a.Default {
			if defaults++; defaults > 1 {
				return nil, fmt.Errorf("authorizer %s: another authorizer is the default", a.Name)
			}
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("authorizer %s: %w", a.Name, err)
		}
	}
	return &f, nil
}

func (a *authorizer) check() error {
	switch {
	case a.TokenKeyName != "" && !tokenKeyPattern.MatchString(a.TokenKeyName):
		return errors.New("the tokenKeyName must have 1 to 128 characters of [a-zA-Z0-9_-]")
	case a.SigningDisabled:
	case a.TokenKeyName == "" || a.PublicKey == "":
		return errors.New("it needs a tokenKeyName and a publicKey, or signingDisabled")
	default:
		block, _ := pem.Decode([]byte(a.PublicKey))
		if block == nil {
			return errors.New("the publicKey is not PEM")
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return errors.New("the publicKey is not a public key")
		}
		var ok bool
		if a.key, ok = key.(*rsa.PublicKey); !ok || a.key.N.BitLen() < minKeyBits {
			return fmt.Errorf("the publicKey must be an RSA key of at least %d bits", minKeyBits)
		}
	}
	if len(a.Rules) == 0 {
		return errors.New("it has no rules")
	}
	for i, r := range a.Rules {
		if r == nil {
			return fmt.Errorf("rule %d is null", i+1)
		}
		if a.SigningDisabled && r.Token == nil && r.Username == nil && r.Password == nil {
			return fmt.Errorf("rule %d: without signing it needs a token, a username or a password", i+1)
		}
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return nil
}

func (r *rule) check() error {
	for _, n := range []*int{&r.DisconnectAfterInSeconds, &r.RefreshAfterInSeconds} {
		if *n == 0 {
			*n = maxInterval
		}
		if *n < minInterval || *n > maxInterval {
			return fmt.Errorf("disconnectAfterInSeconds and refreshAfterInSeconds must be from %d to %d", minInterval, maxInterval)
		}
	}
	switch {
	case !principalPattern.MatchString(r.PrincipalID):
		return errors.New("the principalId must have 1 to 128 letters and digits")
	case len(r.PolicyDocuments) == 0 || len(r.PolicyDocuments) > maxDocuments:
		return fmt.Errorf("it needs 1 to %d policyDocuments", maxDocuments)
	}
	for _, text := range r.PolicyDocuments {
		d, err := iam.Parse(string(text))
		if err != nil {
			return err
		}
		r.documents = append(r.documents, d)
	}
	return nil
}

// matchesToken reports whether a token is that of the rule.
func (r *rule) matchesToken(token string) bool { return r.Token == nil || equal(*r.Token, token) }

// matches reports whether the rule applies to a client.
func (r *rule) matches(token, username string, password []byte) bool {
	return r.matchesToken(token) &&
		(r.Username == nil || equal(*r.Username, username)) &&
		(r.Password == nil || equal(*r.Password, string(password)))
}

// equal compares texts in a time that does not depend on their content.
func equal(a, b string) bool {
	hashA, hashB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(hashA[:], hashB[:]) == 1
}

// read reads and parses a rule file. An error contains no token and no password.
func read(name string) (*file, os.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > maxFile {
		return nil, nil, fmt.Errorf("%s: the file has more than %d bytes", name, maxFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, info, nil
}
