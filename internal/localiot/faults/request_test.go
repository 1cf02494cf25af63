package faults

import (
	"strings"
	"testing"
)

func TestDecodeRefuses(t *testing.T) {
	for _, body := range []string{
		``, `{"explode":true}`, `{"clockSkew":"1"}`, `{"credentialLifetime":0}`, `{"cognito":{}}`, `{"upgrade":{"status":200}}`,
		`{"connack":{"reason":0}}`, `{"connack":{"reason":256}}`, `{"disconnect":{"reason":1}}`, `{"restart":"now"}`,
	} {
		if _, err := Decode(strings.NewReader(body)); err == nil {
			t.Errorf("no error for %s", body)
		}
	}
	if _, err := Decode(strings.NewReader(`{}`)); err != nil {
		t.Error(err)
	}
}
