// Package iam stores the access keys of the local AWS IoT Core. It also implements the policies, which
// limit the permissions of a key. It is a local stand-in for AWS IAM, AWS STS and AWS IoT policies.
package iam

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"

	"iot.wasm/internal/localiot/bounded"
	"iot.wasm/internal/sigv4verify"
)

// maxTemporaryKeys is the maximum number of temporary keys in a KeyStore. Above it, the KeyStore removes
// the oldest key. It does not remove keys when they expire, because AWS distinguishes expired keys from
// unknown keys.
const maxTemporaryKeys = 1000

// AccessKey is an access key and its policy. Package fmt prints it as [redacted].
type AccessKey struct {
	ID string
	sigv4verify.Key
	Policy *Policy
}

// KeyStore holds the access keys that the server accepts. It is safe for concurrent use.
type KeyStore struct {
	mu        sync.RWMutex
	longTerm  map[string]AccessKey // by access key id
	temporary *bounded.Map[AccessKey]
}

// NewKeyStore returns a KeyStore without keys.
func NewKeyStore() *KeyStore {
	return &KeyStore{
		longTerm:  make(map[string]AccessKey),
		temporary: bounded.NewMap[AccessKey](maxTemporaryKeys),
	}
}

// Issue adds a random long-term key that allows everything. Its id begins with AKIA, as with AWS.
func (s *KeyStore) Issue() AccessKey {
	k := AccessKey{ID: randomKeyID("AKIA"), Key: sigv4verify.Key{Secret: randomText(30)}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longTerm[k.ID] = k
	return k
}

// IssueTemporary adds a random key with a session token. The key is valid until expires, and has the
// policy p. Its id begins with ASIA, as with AWS. The token contains "+", "/" and "=", so a client that
// does not percent-encode the token fails.
func (s *KeyStore) IssueTemporary(expires time.Time, p *Policy) AccessKey {
	k := AccessKey{
		ID:     randomKeyID("ASIA"),
		Key:    sigv4verify.Key{Secret: randomText(30), SessionToken: "IQoJb3JpZ2luX2Vj+/" + randomText(301), Expires: expires},
		Policy: p,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.temporary.Put(k.ID, k)
	return k
}

// ExpireTemporary sets the expiry of every temporary key that is valid at now to now.
func (s *KeyStore) ExpireTemporary(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, k := range s.temporary.All {
		if k.Expires.After(now) {
			k.Expires = now
			s.temporary.Put(id, k)
		}
	}
}

// Get returns the key that has the access key id, and reports whether the KeyStore contains it.
func (s *KeyStore) Get(id string) (AccessKey, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k, ok := s.longTerm[id]; ok {
		return k, true
	}
	return s.temporary.Get(id)
}

// Lookup is like Get. It has the type of sigv4verify.Verifier.Lookup.
func (s *KeyStore) Lookup(id string) (sigv4verify.Key, bool) {
	k, ok := s.Get(id)
	return k.Key, ok
}

func randomKeyID(prefix string) string {
	return prefix + base32.StdEncoding.EncodeToString(randomBytes(10))
}

// randomText returns n random bytes in base64.
func randomText(n int) string { return base64.StdEncoding.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
