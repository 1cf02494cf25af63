package localiot

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"iot.wasm/internal/sigv4verify"
)

// maxTemporaryKeys is how many temporary keys a server remembers. Expired ones are among them, as
// AWS says of a key that it has expired rather than that it is unknown.
const maxTemporaryKeys = 1000

// accessKey is a key together with its id.
type accessKey struct {
	id string
	grantedKey
}

// grantedKey is a key and what its holder may do.
type grantedKey struct {
	sigv4verify.Key
	policy *policy
}

// keyStore holds the keys that sign for this server. It is safe for concurrent use.
type keyStore struct {
	mu        sync.RWMutex
	keys      map[string]grantedKey // for good
	temporary recent[grantedKey]
}

func newKeyStore() *keyStore {
	return &keyStore{keys: make(map[string]grantedKey), temporary: newRecent[grantedKey](maxTemporaryKeys)}
}

// issue makes a random long-term key, shaped as AWS's are, which always begin with AKIA.
func (s *keyStore) issue() accessKey {
	k := accessKey{id: randomKeyID("AKIA"), grantedKey: grantedKey{Key: sigv4verify.Key{Secret: randomText(30)}}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.id] = k.grantedKey
	return k
}

// issueTemporary makes a temporary key. Its session token has all the characters that clients
// forget to encode: plus, slash and equals.
func (s *keyStore) issueTemporary(expires time.Time, p *policy) accessKey {
	k := accessKey{
		id: randomKeyID("ASIA"),
		grantedKey: grantedKey{
			Key:    sigv4verify.Key{Secret: randomText(30), SessionToken: "IQoJb3JpZ2luX2Vj+/" + randomText(301), Expires: expires},
			policy: p,
		},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.temporary.put(k.id, k.grantedKey)
	return k
}

// expire ends the life of all temporary keys.
func (s *keyStore) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, key := range s.temporary.entries {
		if key.Expires.After(now) {
			key.Expires = now
			s.temporary.entries[id] = key
		}
	}
}

func (s *keyStore) granted(id string) (grantedKey, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if key, ok := s.keys[id]; ok {
		return key, true
	}
	key, ok := s.temporary.entries[id]
	return key, ok
}

// lookup is the verifier's.
func (s *keyStore) lookup(id string) (sigv4verify.Key, bool) {
	key, ok := s.granted(id)
	return key.Key, ok
}

// recent is a map that forgets its oldest entry rather than hold more than its limit.
type recent[V any] struct {
	entries map[string]V
	order   []string
	limit   int
}

func newRecent[V any](limit int) recent[V] {
	return recent[V]{entries: make(map[string]V), limit: limit}
}

// put adds a key that is new.
func (r *recent[V]) put(key string, v V) {
	if len(r.order) == r.limit {
		delete(r.entries, r.order[0])
		r.order = r.order[1:]
	}
	r.entries[key] = v
	r.order = append(r.order, key)
}

func randomKeyID(prefix string) string {
	return prefix + base32.StdEncoding.EncodeToString(random(10))
}

// randomText is the base64 of n random bytes.
func randomText(n int) string { return base64.StdEncoding.EncodeToString(random(n)) }

// randomID is an id of Cognito's: the region, and a random UUID [RFC 9562, 5.4].
func randomID() string {
	b := random(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%s:%x-%x-%x-%x-%x", region, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
