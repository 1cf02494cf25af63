package localiot

import (
	"fmt"

	"iot.wasm/internal/localiot/iam"
)

// openIAM opens the access keys and the policies.
func (s *Server) openIAM() (err error) {
	o := iam.RegistryOptions{Region: region, AttachPolicy: s.options.AttachPolicy, Now: s.clock.now, Store: s.store}
	if s.options.Policy != "" {
		if o.Policy, err = iam.ReadFile(s.options.Policy); err != nil {
			return err
		}
	}
	if s.policies, err = iam.NewRegistry(o); err != nil {
		return err
	}
	if s.keys, err = iam.OpenKeyStore(s.store); err != nil {
		return err
	}
	s.key, err = s.keys.LongTerm()
	return err
}

// ActivePolicy describes the policies of the long-term key and of unauthenticated Cognito identities in one
// line.
func (s *Server) ActivePolicy() string {
	n := s.policies.GuestRole().Statements()
	if s.options.Policy == "" {
		return fmt.Sprintf("the key of /local.json allows everything; guests of /cognito have the built-in policy (%d statements)", n)
	}
	return fmt.Sprintf("%s (%d statements) applies to the key of /local.json and to guests of /cognito", s.options.Policy, n)
}

// PolicyWarnings returns a text for each part of Options.Policy that is not supported; see
// iam.Document.Warnings.
func (s *Server) PolicyWarnings() []string { return s.policies.GuestRole().Warnings() }

// GuestPolicy returns the policy document of the role of unauthenticated Cognito identities.
func (s *Server) GuestPolicy() string { return s.policies.GuestRole().String() }
