package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// callTimeout bounds a Call.
const callTimeout = 20 * time.Second

// Call makes a signed request to the control plane of the server, which must not use TLS. body is encoded
// as JSON; nil stands for no body. Call decodes the answer into out, unless out is nil. The error contains
// the answer, unless its status is 200.
func (l *Settings) Call(method, path string, body, out any) error {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	address := strings.TrimSuffix(strings.Replace(l.Endpoint, "ws", "http", 1), "/mqtt")
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address+path, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	hash := sha256.Sum256(payload)
	key := aws.Credentials{AccessKeyID: l.Credentials.AccessKeyID, SecretAccessKey: l.Credentials.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(hash[:]), "iot", l.Region, time.Now()); err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	case out != nil:
		return json.Unmarshal(text, out)
	}
	return nil
}

// CreateThing creates a thing with the control plane (CreateThing).
func (l *Settings) CreateThing(thing string) error {
	return l.Call(http.MethodPost, "/things/"+thing, map[string]any{}, nil)
}

// CreateJob creates a job for a thing with the control plane (CreateJob).
func (l *Settings) CreateJob(id, thing, document string) error {
	return l.Call(http.MethodPut, "/jobs/"+id, map[string]any{
		"targets": []string{"arn:aws:iot:" + l.Region + ":123456789012:thing/" + thing}, "document": document,
	}, nil)
}
