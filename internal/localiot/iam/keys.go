// Package iam stores the access keys of the local AWS IoT Core, and decides by AWS IoT policies what their
// owners may do. It is a local stand-in for AWS IAM, AWS STS and the policies of AWS IoT.
package iam

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"iot.wasm/internal/localiot/bounded"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/sigv4verify"
)

// maxTemporaryKeys is the maximum number of temporary keys in a KeyStore. Above it, the KeyStore removes
// the oldest key. It does not remove keys when they expire, because AWS distinguishes expired keys from
// unknown keys.
const maxTemporaryKeys = 1000

// keyBucket is the bucket of the keys in the store.
const keyBucket = "keys"

// Owner is the principal to which an access key belongs. The zero Owner is the owner of a long-term key.
type Owner struct {
	IdentityID    string // the id of a Cognito identity
	Authenticated bool   // whether the identity has a login
}

// AccessKey is an access key and its owner. Package fmt prints it as [redacted].
type AccessKey struct {
	ID string
	sigv4verify.Key
	Owner Owner

	number uint64 // the position in the order of the keys of a KeyStore
}

// KeyStore holds the access keys that the server accepts. It is safe for concurrent use.
type KeyStore struct {
	store *store.DB

	mu        sync.RWMutex
	longTerm  map[string]AccessKey // by access key id
	temporary *bounded.Map[AccessKey]
	issued    uint64 // the number of keys that were issued
}

// NewKeyStore returns a KeyStore without keys, which keeps its keys in memory only.
func NewKeyStore() *KeyStore {
	return &KeyStore{
		longTerm:  make(map[string]AccessKey),
		temporary: bounded.NewMap[AccessKey](maxTemporaryKeys),
	}
}

// A storedKey is a key in the store.
type storedKey struct {
	Number        uint64 // the order of the keys
	Secret        string
	SessionToken  string    `json:",omitempty"`
	Expires       time.Time `json:",omitzero"`
	IdentityID    string    `json:",omitempty"`
	Authenticated bool      `json:",omitempty"`
}

// OpenKeyStore returns a KeyStore with the keys in db.
func OpenKeyStore(db *store.DB) (*KeyStore, error) {
	s := NewKeyStore()
	s.store = db
	keys := make(map[uint64]AccessKey)
	if err := db.Load(keyBucket, func(id string, value []byte) error {
		var k storedKey
		if json.Unmarshal(value, &k) != nil {
			return fmt.Errorf("the stored key %s is damaged", id)
		}
		keys[k.Number] = AccessKey{
			ID:     id,
			Key:    sigv4verify.Key{Secret: k.Secret, SessionToken: k.SessionToken, Expires: k.Expires},
			Owner:  Owner{k.IdentityID, k.Authenticated},
			number: k.Number,
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, n := range slices.Sorted(maps.Keys(keys)) {
		s.issued = n
		if k := keys[n]; k.SessionToken == "" {
			s.longTerm[k.ID] = k
		} else {
			s.temporary.Put(k.ID, k)
		}
	}
	return s, nil
}

// change returns the Change that writes a key.
func (k AccessKey) change() store.Change {
	value, err := json.Marshal(storedKey{k.number, k.Secret, k.SessionToken, k.Expires, k.Owner.IdentityID, k.Owner.Authenticated})
	if err != nil {
		panic(err) // strings and times of the clock have a JSON form
	}
	return store.Change{Bucket: keyBucket, Key: k.ID, Value: value}
}

// LongTerm returns a long-term key of the KeyStore. If there is none, it issues one.
func (s *KeyStore) LongTerm() (AccessKey, error) {
	s.mu.RLock()
	for _, k := range s.longTerm {
		s.mu.RUnlock()
		return k, nil
	}
	s.mu.RUnlock()
	return s.Issue()
}

// Issue adds a random long-term key. Its id begins with AKIA, as with AWS. It returns an error if the store
// cannot keep the key.
func (s *KeyStore) Issue() (AccessKey, error) {
	k := AccessKey{ID: randomKeyID("AKIA"), Key: sigv4verify.Key{Secret: randomText(30)}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	k.number = s.issued
	if err := s.store.Apply(k.change()); err != nil {
		return AccessKey{}, err
	}
	s.longTerm[k.ID] = k
	return k, nil
}

// IssueTemporary adds a random key with a session token. The key is valid until expires, and belongs to
// owner. Its id begins with ASIA, as with AWS. The token contains "+", "/" and "=", so a client that does not
// percent-encode the token fails. IssueTemporary returns an error if the store cannot keep the key.
func (s *KeyStore) IssueTemporary(expires time.Time, owner Owner) (AccessKey, error) {
	k := AccessKey{
		ID:    randomKeyID("ASIA"),
		Key:   sigv4verify.Key{Secret: randomText(30), SessionToken: "IQoJb3JpZ2luX2Vj+/" + randomText(301), Expires: expires},
		Owner: owner,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	k.number = s.issued
	if err := s.store.Apply(k.change()); err != nil {
		return AccessKey{}, err
	}
	if oldest, ok := s.temporary.Put(k.ID, k); ok {
		s.store.Enqueue(store.Change{Bucket: keyBucket, Key: oldest})
	}
	return k, nil
}

// ExpireTemporary sets the expiry of every temporary key that is valid at now to now.
func (s *KeyStore) ExpireTemporary(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, k := range s.temporary.All {
		if k.Expires.After(now) {
			k.Expires = now
			s.temporary.Put(id, k)
			s.store.Enqueue(k.change())
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
