package interop

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// An authorizer is a custom authorizer of the stand-in, with a token that it accepts.
type authorizer struct {
	Name         string `json:"name"`
	TokenKeyName string `json:"tokenKeyName"`
	Token        string `json:"token"`
	Signature    string `json:"signature"` // base64

	file string // for the flag -authorizer
}

// newAuthorizer makes a key, signs a token with it, and writes a rule file that allows everything to a
// client with that token.
func newAuthorizer(t *testing.T) *authorizer {
	t.Helper()
	a := &authorizer{Name: "door", TokenKeyName: "token", Token: "open-sesame", file: filepath.Join(t.TempDir(), "rules.json")}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(a.Token))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := json.Marshal(document{"authorizers": []any{document{
		"name":         a.Name,
		"tokenKeyName": a.TokenKeyName,
		"publicKey":    string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"rules": []any{document{
			"token":       a.Token,
			"principalId": "visitor",
			"policyDocuments": []any{document{
				"Version":   "2012-10-17",
				"Statement": document{"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
			}},
		}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, rules, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}
