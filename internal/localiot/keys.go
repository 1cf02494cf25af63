package localiot

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"sync"

	"iot.wasm/internal/sigv4verify"
)

// accessKey is a key together with its id.
type accessKey struct {
	id string
	sigv4verify.Key
}

// keyStore holds the keys that sign for this server. It is safe for concurrent use.
type keyStore struct {
	mu   sync.RWMutex
	keys map[string]sigv4verify.Key
}

func newKeyStore() *keyStore {
	return &keyStore{keys: make(map[string]sigv4verify.Key)}
}

// issue makes a random long-term key, shaped as AWS's are, which always begin with AKIA.
func (s *keyStore) issue() accessKey {
	k := accessKey{
		id:  "AKIA" + base32.StdEncoding.EncodeToString(random(10)),
		Key: sigv4verify.Key{Secret: base64.StdEncoding.EncodeToString(random(30))},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.id] = k.Key
	return k
}

func (s *keyStore) lookup(id string) (sigv4verify.Key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key, ok := s.keys[id]
	return key, ok
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
