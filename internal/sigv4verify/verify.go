// Package sigv4verify verifies presigned URLs of AWS Signature Version 4, as AWS IoT Core does for a
// WebSocket handshake. It follows the specification and shares no code with a signer, so that tests of
// a signer can use it as an independent implementation.
//
// AWS IoT differs from other AWS services in one point: the session token is not signed. The client
// appends it to the signed query.
//
// Sources: "Create a signed AWS API request" in the AWS IAM User Guide, and "Device communication
// protocols" (MQTT over WebSocket) in the AWS IoT Core Developer Guide.
package sigv4verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxSkew is the largest difference between X-Amz-Date and the verifier's clock, in either direction.
// AWS applies this limit independently of X-Amz-Expires.
const maxSkew = 5 * time.Minute

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	dateLayout = "20060102T150405Z"
	maxExpires = 7 * 24 * 60 * 60 // s
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential"
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramSignedHeaders = "X-Amz-SignedHeaders"
	paramSignature     = "X-Amz-Signature"
	paramToken         = "X-Amz-Security-Token"
)

// required lists the parameters that every presigned URL has.
var required = []string{paramAlgorithm, paramCredential, paramDate, paramSignedHeaders, paramSignature}

// Verifier verifies presigned requests. Region, Service and Lookup must be set. A Verifier is safe for
// concurrent use if Lookup and Now are.
type Verifier struct {
	Region  string // the region in the credential scope, such as us-east-1
	Service string // the service in the credential scope, for AWS IoT iotdevicegateway

	// Now is the clock of the verifier. X-Amz-Date may differ from it by 5 min. nil means time.Now.
	Now func() time.Time

	// Lookup returns the key that has the access key id, and reports whether the id is known.
	Lookup func(accessKeyID string) (Key, bool)
}

// Verify returns nil if the query of r has a valid signature. Otherwise it returns an *Error that names
// the first failed check. Verify uses the method, the URL and the Host of r, and no other header.
func (v *Verifier) Verify(r *http.Request) error {
	if e := v.verify(r); e != nil {
		return e
	}
	return nil
}

func (v *Verifier) verify(r *http.Request) *Error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return incomplete("query", "The query string is malformed.")
	}
	for _, name := range required {
		if query.Get(name) == "" {
			return incomplete("missing:"+name, "AWS query-string parameters must include '%s'. Re-examine the query-string parameters.", name)
		}
	}
	for name, values := range query {
		if strings.HasPrefix(name, "X-Amz-") && len(values) > 1 {
			return incomplete("duplicate:"+name, "AWS query-string parameters must not be given twice. Re-examine the query-string parameters.")
		}
	}
	if query.Get(paramAlgorithm) != algorithm {
		return incomplete("algorithm", "Unsupported AWS 'algorithm': it must be '%s'.", algorithm)
	}
	if query.Get(paramSignedHeaders) != "host" {
		return invalid("signed-headers", "'Host' must be a 'SignedHeader', and the only one, in the query of a WebSocket handshake.")
	}
	signed, e := signingTime(query.Get(paramDate))
	if e != nil {
		return e
	}
	scope, e := v.parseCredential(query.Get(paramCredential), signed)
	if e != nil {
		return e
	}
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	if e := checkAge(query, signed, now().UTC().Truncate(time.Second)); e != nil {
		return e
	}
	key, ok := v.Lookup(scope.accessKeyID)
	if !ok {
		return unrecognized("access-key")
	}
	if !key.Expires.IsZero() && !now().Before(key.Expires) {
		return &Error{"credentials-expired", "ExpiredTokenException", "The security token included in the request is expired"}
	}
	token, given := query[paramToken]
	if given != (key.SessionToken != "") || given && subtle.ConstantTimeCompare([]byte(token[0]), []byte(key.SessionToken)) != 1 {
		return unrecognized("token")
	}
	want := scope.sign(key.Secret, query.Get(paramDate), canonicalRequest(r, query))
	if subtle.ConstantTimeCompare([]byte(query.Get(paramSignature)), []byte(want)) != 1 {
		return invalid("signature", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// credentialScope holds the parts of X-Amz-Credential.
type credentialScope struct {
	accessKeyID, date, region, service string
}

// parseCredential parses X-Amz-Credential and checks all parts except the access key id.
func (v *Verifier) parseCredential(credential string, signed time.Time) (credentialScope, *Error) {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" {
		return credentialScope{}, incomplete("credential", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	s := credentialScope{parts[0], parts[1], parts[2], parts[3]}
	switch {
	case parts[4] != terminator:
		return s, invalid("terminator", "Credential should be scoped with a valid terminator: '%s'.", terminator)
	case s.service != v.Service:
		return s, invalid("service", "Credential should be scoped to correct service: '%s'.", v.Service)
	case s.region != v.Region:
		return s, invalid("region", "Credential should be scoped to a valid region.")
	case s.date != signed.Format("20060102"):
		return s, invalid("scope-date", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	return s, nil
}

// signingTime parses X-Amz-Date.
func signingTime(date string) (time.Time, *Error) {
	signed, err := time.Parse(dateLayout, date)
	if err != nil || signed.Format(dateLayout) != date { // time.Parse accepts fractions of a second
		return signed, incomplete("date", "Date must be in ISO-8601 'basic format', e.g. 20060102T150405Z.")
	}
	return signed, nil
}

// checkAge checks X-Amz-Date against the clock, and X-Amz-Expires. now has whole seconds, like
// X-Amz-Date.
func checkAge(query url.Values, signed, now time.Time) *Error {
	if oldest := now.Add(-maxSkew); signed.Before(oldest) {
		return invalid("skew", "Signature expired: %s is now earlier than %s (%s - %g min.)",
			signed.Format(dateLayout), oldest.Format(dateLayout), now.Format(dateLayout), maxSkew.Minutes())
	}
	if newest := now.Add(maxSkew); signed.After(newest) {
		return invalid("skew", "Signature not yet current: %s is still later than %s (%s + %g min.)",
			signed.Format(dateLayout), newest.Format(dateLayout), now.Format(dateLayout), maxSkew.Minutes())
	}
	if !query.Has(paramExpires) {
		return nil
	}
	n, err := strconv.ParseUint(query.Get(paramExpires), 10, 32)
	if err != nil || n < 1 || n > maxExpires {
		return incomplete("expires", "X-Amz-Expires must be a whole number of seconds from 1 to %d.", maxExpires)
	}
	if end := signed.Add(time.Duration(n) * time.Second); now.After(end) {
		return invalid("expired", "Signature expired: %s is now earlier than %s", end.Format(dateLayout), now.Format(dateLayout))
	}
	return nil
}

// sign returns the hexadecimal signature of a canonical request.
func (s credentialScope) sign(secret, date, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{
		algorithm,
		date,
		strings.Join([]string{s.date, s.region, s.service, terminator}, "/"),
		hex.EncodeToString(hash[:]),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator, toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}
