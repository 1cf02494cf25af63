// Package sigv4 presigns the URL of an AWS IoT WebSocket with AWS Signature
// Version 4.
//
// It is the one place that knows AWS IoT's exception to the rule: the session
// token is not signed but appended behind the signature.
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
	service = "iotdevicegateway"
	// emptyHash is SHA-256 of nothing: the handshake has no body.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// maxExpires is the longest X-Amz-Expires, seven days in seconds.
	maxExpires = 604_800
)

// Credentials are an AWS access key, by the names of the AWS SDKs.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey secret.String
	SessionToken    secret.String // "" for a long-lived key
	Expiration      time.Time     // zero where it is not known
}

// Check reports what is missing from c or cannot be right, or nil.
func (c Credentials) Check() error {
	switch {
	case c.AccessKeyID == "":
		return errors.New("credentials have no accessKeyId")
	case c.SecretAccessKey == "":
		return errors.New("credentials have no secretAccessKey")
	case strings.ContainsAny(c.AccessKeyID, " \t\r\n/"):
		return errors.New("credentials have an accessKeyId with blanks or slashes in it")
	case strings.TrimSpace(c.SecretAccessKey.Reveal()) != c.SecretAccessKey.Reveal():
		return errors.New("credentials have a secretAccessKey with blanks around it")
	}
	return nil
}

// Presign returns the URL that opens a WebSocket at e with the rights of c. It
// is good for about five minutes around now, whatever expires says; expires, in
// seconds, becomes X-Amz-Expires unless it is 0. The same arguments give the
// same URL, byte for byte.
func Presign(e Endpoint, c Credentials, now time.Time, expires int) (secret.String, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	if e.Region == "" {
		return "", errors.New("region is missing, and the endpoint's name does not tell it")
	}
	if expires < 0 || expires > maxExpires {
		return "", fmt.Errorf("expires is %d; it must be between 1 and %d seconds", expires, maxExpires)
	}
	if y := now.UTC().Year(); y < 1 || y > 9999 {
		return "", errors.New("date is not within the years 1 to 9999")
	}
	query, err := url.ParseQuery(e.Query)
	if err != nil {
		return "", errors.New("endpoint has a query that cannot be read")
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

// escape percent-encodes all but RFC 3986's unreserved characters.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
