// Package sigv4 presigns the URL of an AWS IoT WebSocket with AWS Signature
// Version 4.
//
// AWS IoT deviates from the standard procedure: the session token is not signed
// but appended after the signature.
// https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws
package sigv4

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"iot.wasm/wasm/secret"
)

const (
	// service is the service name in the signature.
	service = "iotdevicegateway"
	// emptyHash is the SHA-256 hash of the empty body of the handshake, in hex.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// maxExpires is the maximum of X-Amz-Expires in seconds: seven days.
	maxExpires = 604_800
)

// Credentials are an AWS access key. The names of the fields are those of the AWS
// SDKs.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey secret.String
	SessionToken    secret.String // "" for a long-term key
	Expiration      time.Time     // zero: unknown
}

// Check returns an error if the access key id or the secret access key is missing or
// malformed. It does not check Expiration.
func (c Credentials) Check() error {
	switch {
	case c.AccessKeyID == "":
		return errors.New("credentials have no accessKeyId")
	case c.SecretAccessKey == "":
		return errors.New("credentials have no secretAccessKey")
	case strings.ContainsAny(c.AccessKeyID, " \t\r\n/"):
		return errors.New("credentials have an accessKeyId with spaces or slashes")
	case strings.TrimSpace(c.SecretAccessKey.Reveal()) != c.SecretAccessKey.Reveal():
		return errors.New("credentials have a secretAccessKey with leading or trailing spaces")
	}
	return nil
}

// Presign returns the URL that opens a WebSocket at e with the permissions of c. now
// is the time of the signature, in the years 1 to 9999. AWS IoT accepts the URL from
// about five minutes before now until five minutes after now, independently of
// expires. expires is the value of X-Amz-Expires in seconds, from 1 to 604,800; 0
// omits the parameter. The result depends on the arguments only. Presign returns an
// error if [Credentials.Check] does, if e has no region, if expires or now is out of
// range, or if the query of e is invalid or already has a signature.
func Presign(e Endpoint, c Credentials, now time.Time, expires int) (secret.String, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	if e.Region == "" {
		return "", errors.New("region is missing, and the endpoint's host name does not contain it")
	}
	if expires < 0 || expires > maxExpires {
		return "", fmt.Errorf("expires is %d; it must be between 1 and %d seconds", expires, maxExpires)
	}
	if y := now.UTC().Year(); y < 1 || y > 9999 {
		return "", errors.New("date must be in the years 1 to 9999")
	}
	query, err := url.ParseQuery(e.Query)
	if err != nil {
		return "", errors.New("endpoint has an invalid query")
	}
	for name := range query {
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			return "", fmt.Errorf("endpoint is signed already (it has %s)", name)
		}
	}
	if expires > 0 {
		query.Set("X-Amz-Expires", strconv.Itoa(expires))
	}
	e.Query = query.Encode()
	signed, err := sign(e, c, now.UTC())
	if err != nil {
		return "", errors.New("the URL could not be signed")
	}
	if c.SessionToken != "" {
		signed += "&X-Amz-Security-Token=" + escape(c.SessionToken.Reveal())
	}
	return secret.String(signed), nil
}

// escape percent-encodes all characters except the unreserved ones of RFC 3986.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
