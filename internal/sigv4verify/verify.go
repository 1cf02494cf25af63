// Package sigv4verify verifies AWS Signature Version 4 as AWS IoT Core does: in the query of a WebSocket
// handshake, and in the header Authorization of a request to an HTTP API. It follows the specification
// and shares no code with a signer, so that tests of a signer can use it as an independent
// implementation.
//
// AWS IoT differs from other AWS services in one point: the session token in a query is not signed. The
// client appends it to the signed query.
//
// Sources: "Create a signed AWS API request" in the AWS IAM User Guide, and "Device communication
// protocols" (MQTT over WebSocket) in the AWS IoT Core Developer Guide.
package sigv4verify

import (
	"crypto/subtle"
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

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// required lists the parameters that every presigned URL has.
var required = []string{paramAlgorithm, paramCredential, paramDate, paramSignedHeaders, paramSignature}

// Verifier verifies signed requests. Region and Lookup must be set. A Verifier is safe for concurrent
// use if Lookup and Now are.
type Verifier struct {
	Region  string // the region in the credential scope, such as us-east-1
	Service string // the service in the credential scope of Verify, for AWS IoT iotdevicegateway

	// Now is the clock of the verifier. X-Amz-Date may differ from it by 5 min. nil means time.Now.
	Now func() time.Time

	// Lookup returns the key that has the access key id, and reports whether the id is known.
	Lookup func(accessKeyID string) (Key, bool)
}

// Verify returns nil if the query of r has a valid signature. Otherwise it returns an *Error that names
// the first failed check. Verify uses the method, the URL and the Host of r, and the headers that
// X-Amz-SignedHeaders contains.
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
	headers, e := signedHeaders(r, query.Get(paramSignedHeaders), "host")
	if e != nil {
		return e
	}
	date := query.Get(paramDate)
	signed, e := signingTime(date)
	if e != nil {
		return e
	}
	scope, e := parseCredential(query.Get(paramCredential))
	if e != nil {
		return e
	}
	if scope.service != v.Service {
		return invalid("service", "Credential should be scoped to correct service: '%s'.", v.Service)
	}
	if e := v.checkRegion(scope); e != nil {
		return e
	}
	if e := checkDate(scope, signed); e != nil {
		return e
	}
	if e := v.checkAge(query, signed); e != nil {
		return e
	}
	key, e := v.lookup(scope.accessKeyID)
	if e != nil {
		return e
	}
	token, given := query[paramToken]
	if e := checkToken(key, token, given); e != nil {
		return e
	}
	signature := query.Get(paramSignature)
	query.Del(paramSignature)
	withToken := canonicalRequest(r, query, headers, emptyHash)
	query.Del(paramToken)
	switch canonical := canonicalRequest(r, query, headers, emptyHash); {
	case equal(signature, scope.sign(key.Secret, date, canonical)):
		return nil
	case given && equal(signature, scope.sign(key.Secret, date, withToken)):
		return invalid("token-signed", "%s The session token is part of the signed query. AWS IoT requires that X-Amz-Security-Token is appended to the URL after signing.", mismatch)
	}
	return invalid("signature", mismatch)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// lookup returns the key that has an access key id, unless it is unknown or has expired.
func (v *Verifier) lookup(accessKeyID string) (Key, *Error) {
	key, ok := v.Lookup(accessKeyID)
	if !ok {
		return Key{}, unrecognized("access-key")
	}
	if !key.Expires.IsZero() && !v.now().Before(key.Expires) {
		return Key{}, &Error{"credentials-expired", "ExpiredTokenException", "The security token included in the request is expired"}
	}
	return key, nil
}

// checkToken checks the values of X-Amz-Security-Token in a request.
func checkToken(key Key, token []string, given bool) *Error {
	if given != (key.SessionToken != "") || given && !equal(token[0], key.SessionToken) {
		return unrecognized("token")
	}
	return nil
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// checkAge checks X-Amz-Date against the clock, and X-Amz-Expires.
func (v *Verifier) checkAge(query url.Values, signed time.Time) *Error {
	now := v.now().UTC().Truncate(time.Second)
	if e := checkSkew(signed, now); e != nil {
		return e
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
