package localiot

import (
	"bytes"
	"encoding/json"
	"fmt"

	"iot.wasm/internal/localiot/authorizer"
	"iot.wasm/internal/localiot/iam"
)

// openIAM opens the access keys, the policies and the custom authorizers.
func (s *Server) openIAM() (err error) {
	o := iam.RegistryOptions{
		Region:       s.options.Region,
		AttachPolicy: s.options.AttachPolicy,
		Thing:        s.findThing,
		Now:          s.clock.now,
		Store:        s.store,
	}
	if s.options.Policy != "" {
		if o.Policy, err = iam.ReadFile(s.options.Policy); err != nil {
			return err
		}
	}
	if s.options.Authorizer != "" {
		if s.custom, err = authorizer.Open(s.options.Authorizer, s.clock.now); err != nil {
			return err
		}
	}
	if s.policies, err = iam.NewRegistry(o); err != nil {
		return err
	}
	if s.keys, err = iam.OpenKeyStore(s.store); err != nil {
		return err
	}
	var guest bytes.Buffer
	json.Compact(&guest, []byte(s.GuestPolicy())) // the document is valid JSON
	s.options.Logger.Info("policy", "active", s.ActivePolicy(), "guests", guest.String())
	s.key, err = s.keys.LongTerm()
	return err
}

// findThing is an iam.ThingLookup.
func (s *Server) findThing(name string) (attributes map[string]string, ok bool) {
	t, err := s.things.Describe(name)
	return t.Attributes, err == nil
}

// ActivePolicy describes the policies of the long-term key and of unauthenticated Cognito identities in one
// line.
func (s *Server) ActivePolicy() string {
	statements := "1 statement"
	if n := s.policies.GuestRole().Statements(); n != 1 {
		statements = fmt.Sprint(n, " statements")
	}
	if s.options.Policy == "" {
		return fmt.Sprintf("the key of /local.json allows everything; guests of /cognito have the built-in policy (%s)", statements)
	}
	return fmt.Sprintf("%s (%s) applies to the key of /local.json and to guests of /cognito", s.options.Policy, statements)
}

// PolicyWarnings returns a text for each part of Options.Policy that is not supported; see
// iam.Document.Warnings.
func (s *Server) PolicyWarnings() []string { return s.policies.GuestRole().Warnings() }

// GuestPolicy returns the policy document of the role of unauthenticated Cognito identities.
func (s *Server) GuestPolicy() string { return s.policies.GuestRole().String() }
