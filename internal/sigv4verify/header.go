package sigv4verify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	headerDate        = "X-Amz-Date"
	headerToken       = "X-Amz-Security-Token"
	headerPayloadHash = "X-Amz-Content-Sha256"
)

// Authorization is a parsed header Authorization with the algorithm AWS4-HMAC-SHA256. ParseHeader returns
// it, and VerifyHeader verifies it.
type Authorization struct {
	AccessKeyID string
	Service     string // the service in the credential scope, such as iotdata

	scope     credentialScope
	headers   string // the list of signed headers
	signature string
}

// ParseHeader parses the header Authorization of a request. It does not verify the signature. The error
// is an *Error.
func ParseHeader(r *http.Request) (Authorization, error) {
	a, e := parseAuthorization(r.Header.Values("Authorization"))
	if e != nil {
		return Authorization{}, e
	}
	return a, nil
}

// IsSigned reports whether a request has a header Authorization for SigV4.
func IsSigned(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-")
}

func parseAuthorization(values []string) (a Authorization, e *Error) {
	if len(values) == 0 {
		return a, &Error{"missing:Authorization", "MissingAuthenticationTokenException", "Missing Authentication Token"}
	}
	if len(values) > 1 {
		return a, incomplete("duplicate:Authorization", "The request must have one header Authorization.")
	}
	name, parameters, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	if name != algorithm {
		return a, incomplete("algorithm", "Unsupported AWS 'algorithm': it must be '%s'.", algorithm)
	}
	var credential string
	fields := map[string]*string{"Credential": &credential, "SignedHeaders": &a.headers, "Signature": &a.signature}
	for pair := range strings.SplitSeq(parameters, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		field := fields[key]
		switch {
		case !ok:
			return a, incomplete("authorization", "The header Authorization contains a part that is not a valid key=value pair (missing equal-sign).")
		case field == nil:
			continue
		case *field != "":
			return a, incomplete("duplicate:"+key, "The header Authorization contains '%s' twice.", key)
		}
		*field = value
	}
	for _, key := range []string{"Credential", "Signature", "SignedHeaders"} {
		if *fields[key] == "" {
			return a, incomplete("missing:"+key, "Authorization header requires '%s' parameter.", key)
		}
	}
	if a.scope, e = parseCredential(credential); e != nil {
		return a, e
	}
	a.AccessKeyID, a.Service = a.scope.accessKeyID, a.scope.service
	return a, nil
}

// VerifyHeader returns nil if the signature of a is valid for the request r with the given body.
// Otherwise it returns an *Error that names the first failed check. a is the result of ParseHeader for
// r. The caller checks a.Service; Verifier.Service does not matter.
//
// The header X-Amz-Security-Token may be signed or not. The headers Host and X-Amz-Date must be signed.
// UNSIGNED-PAYLOAD is not accepted, because no operation of AWS IoT has an unsigned payload.
func (v *Verifier) VerifyHeader(r *http.Request, a Authorization, body []byte) error {
	if e := v.verifyHeader(r, a, body); e != nil {
		return e
	}
	return nil
}

func (v *Verifier) verifyHeader(r *http.Request, a Authorization, body []byte) *Error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return incomplete("query", "The query string is malformed.")
	}
	dates := r.Header.Values(headerDate)
	if len(dates) == 0 {
		return incomplete("missing:X-Amz-Date", "Authorization header requires existence of a 'X-Amz-Date' header.")
	}
	for _, name := range []string{headerDate, headerToken, headerPayloadHash} {
		if len(r.Header.Values(name)) > 1 {
			return incomplete("duplicate:"+name, "The request must not have the header '%s' twice.", name)
		}
	}
	headers, e := signedHeaders(r, a.headers, "host", "x-amz-date")
	if e != nil {
		return e
	}
	signed, e := signingTime(dates[0])
	if e != nil {
		return e
	}
	if e := v.checkRegion(a.scope); e != nil {
		return e
	}
	if e := checkDate(a.scope, signed); e != nil {
		return e
	}
	if e := checkSkew(signed, v.now().UTC().Truncate(time.Second)); e != nil {
		return e
	}
	key, e := v.lookup(a.AccessKeyID)
	if e != nil {
		return e
	}
	token := r.Header.Values(headerToken)
	if e := checkToken(key, token, len(token) > 0); e != nil {
		return e
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if stated := r.Header.Values(headerPayloadHash); len(stated) > 0 && stated[0] != hash {
		return invalid("payload-hash", "%s The header '%s' is not the SHA-256 hash of the body.", mismatch, headerPayloadHash)
	}
	if !equal(a.signature, a.scope.sign(key.Secret, dates[0], canonicalRequest(r, query, headers, hash))) {
		return invalid("signature", mismatch)
	}
	return nil
}
