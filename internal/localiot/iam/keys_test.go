package iam

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/store/storetest"
)

func issue(t *testing.T, s *KeyStore) AccessKey {
	t.Helper()
	k, err := s.Issue()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issueTemporary(t *testing.T, s *KeyStore, expires time.Time) AccessKey {
	t.Helper()
	k, err := s.IssueTemporary(expires, Owner{IdentityID: "us-east-1:1", Authenticated: true})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFormats(t *testing.T) {
	s := NewKeyStore()
	now := time.Now()
	longTerm, temporary := issue(t, s), issueTemporary(t, s, now.Add(time.Hour))
	for prefix, k := range map[string]AccessKey{"AKIA": longTerm, "ASIA": temporary} {
		if len(k.ID) != 20 || !strings.HasPrefix(k.ID, prefix) || len(k.Secret) != 40 {
			t.Errorf("access key id %s, secret of %d characters; want 20 characters that begin with %s, and 40", k.ID, len(k.Secret), prefix)
		}
		if got, ok := s.Lookup(k.ID); !ok || got != k.Key {
			t.Errorf("the key store does not hold %s", k.ID)
		}
	}
	if _, ok := s.Get("AKIAUNKNOWN"); ok {
		t.Error("the key store holds an unknown key")
	}
}

func TestExpireTemporary(t *testing.T) {
	s := NewKeyStore()
	now := time.Now()
	longTerm, valid, expired := issue(t, s), issueTemporary(t, s, now.Add(time.Hour)), issueTemporary(t, s, now.Add(-time.Hour))
	s.ExpireTemporary(now)
	for _, test := range []struct {
		key  AccessKey
		want time.Time
	}{{longTerm, time.Time{}}, {valid, now}, {expired, now.Add(-time.Hour)}} {
		if got, ok := s.Get(test.key.ID); !ok || !got.Expires.Equal(test.want) {
			t.Errorf("%s expires at %v, want %v", test.key.ID, got.Expires, test.want)
		}
	}
}

// Keys survive a restart, with their order and their owners.
func TestKeysInStore(t *testing.T) {
	dir := t.TempDir()
	open := func() (*store.DB, *KeyStore) {
		t.Helper()
		db := storetest.Open(t, dir)
		s, err := OpenKeyStore(db)
		if err != nil {
			t.Fatal(err)
		}
		return db, s
	}
	db, s := open()
	longTerm, err := s.LongTerm()
	if err != nil {
		t.Fatal(err)
	}
	var temporary []AccessKey
	for range maxTemporaryKeys + 2 {
		temporary = append(temporary, issueTemporary(t, s, time.Now().Add(time.Hour)))
	}
	db.Close()
	if f, err := os.Stat(filepath.Join(dir, "iot.db")); err != nil || f.Mode().Perm() != 0o600 {
		t.Errorf("the mode of the file is %v, %v", f.Mode(), err)
	}

	db, s = open()
	if k, err := s.LongTerm(); err != nil || k != longTerm {
		t.Errorf("the long-term key is another one, %v", err)
	}
	for i, k := range temporary {
		got, ok := s.Get(k.ID)
		if want := i >= 2; ok != want || ok && (got.Key.Secret != k.Secret || got.SessionToken != k.SessionToken || got.Owner != k.Owner || !got.Expires.Equal(k.Expires)) {
			t.Fatalf("key %d is in the key store: %v, or differs", i, ok)
		}
	}
	now := time.Now()
	s.ExpireTemporary(now)
	issueTemporary(t, s, now.Add(time.Hour)) // removes the oldest key
	db.Close()

	db, s = open()
	defer db.Close()
	if _, ok := s.Get(temporary[2].ID); ok {
		t.Error("the oldest key is in the key store")
	}
	if k, ok := s.Get(temporary[3].ID); !ok || !k.Expires.Equal(now) {
		t.Errorf("a key has the expiry %v, want %v", k.Expires, now)
	}
	if err := db.Apply(store.Change{Bucket: keyBucket, Key: "AKIA", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyStore(db); err == nil {
		t.Error("OpenKeyStore accepts a damaged key")
	}
}

func TestTemporaryKeysAreBounded(t *testing.T) {
	s := NewKeyStore()
	oldest := issueTemporary(t, s, time.Now())
	for range maxTemporaryKeys {
		issueTemporary(t, s, time.Now())
	}
	if _, ok := s.Get(oldest.ID); ok {
		t.Error("the key store still holds the oldest key")
	}
}
