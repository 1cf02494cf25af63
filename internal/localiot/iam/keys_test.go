package iam

import (
	"strings"
	"testing"
	"time"
)

func TestKeyFormats(t *testing.T) {
	s := NewKeyStore()
	now := time.Now()
	longTerm, temporary := s.Issue(), s.IssueTemporary(now.Add(time.Hour), Guest())
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
	longTerm, valid, expired := s.Issue(), s.IssueTemporary(now.Add(time.Hour), nil), s.IssueTemporary(now.Add(-time.Hour), nil)
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

func TestTemporaryKeysAreBounded(t *testing.T) {
	s := NewKeyStore()
	oldest := s.IssueTemporary(time.Now(), nil)
	for range maxTemporaryKeys {
		s.IssueTemporary(time.Now(), nil)
	}
	if _, ok := s.Get(oldest.ID); ok {
		t.Error("the key store still holds the oldest key")
	}
}
