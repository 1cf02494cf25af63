package sigv4verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// credentialScope holds the parts of a Credential without the terminator.
type credentialScope struct {
	accessKeyID, date, region, service string
}

// parseCredential parses a Credential and checks its form.
func parseCredential(credential string) (credentialScope, *Error) {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" {
		return credentialScope{}, incomplete("credential", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	s := credentialScope{parts[0], parts[1], parts[2], parts[3]}
	if parts[4] != terminator {
		return s, invalid("terminator", "Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return s, nil
}

// regionName matches names of regions. An error names the region of a request only if it matches, so
// that an error cannot contain a secret key at the wrong place.
var regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)

// IsRegion reports whether a text has the form of the name of an AWS region.
func IsRegion(name string) bool { return regionName.MatchString(name) }

// checkRegion checks the region of a credential scope.
func (v *Verifier) checkRegion(s credentialScope) *Error {
	switch {
	case s.region == v.Region:
		return nil
	case regionName.MatchString(s.region):
		return invalid("region", "Credential should be scoped to a valid region, not '%s'. The region of this endpoint is '%s'.", s.region, v.Region)
	}
	return invalid("region", "Credential should be scoped to a valid region. The region of this endpoint is '%s'.", v.Region)
}

// checkDate checks the date of a credential scope.
func checkDate(s credentialScope, signed time.Time) *Error {
	if s.date != signed.Format("20060102") {
		return invalid("scope-date", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
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

// signingTime parses X-Amz-Date.
func signingTime(date string) (time.Time, *Error) {
	signed, err := time.Parse(dateLayout, date)
	if err != nil || signed.Format(dateLayout) != date { // time.Parse accepts fractions of a second
		return signed, incomplete("date", "Date must be in ISO-8601 'basic format', e.g. 20060102T150405Z.")
	}
	return signed, nil
}

// checkSkew checks X-Amz-Date against the clock. now has whole seconds, like X-Amz-Date.
func checkSkew(signed, now time.Time) *Error {
	if oldest := now.Add(-maxSkew); signed.Before(oldest) {
		return invalid("skew", "Signature expired: %s is now earlier than %s (%s - %g min.)",
			signed.Format(dateLayout), oldest.Format(dateLayout), now.Format(dateLayout), maxSkew.Minutes())
	}
	if newest := now.Add(maxSkew); signed.After(newest) {
		return invalid("skew", "Signature not yet current: %s is still later than %s (%s + %g min.)",
			signed.Format(dateLayout), newest.Format(dateLayout), now.Format(dateLayout), maxSkew.Minutes())
	}
	return nil
}

// headerName matches the name of a header in lower case [RFC 9110, 5.6.2].
var headerName = regexp.MustCompile("^[a-z0-9!#$%&'*+.^_`|~-]+$")

// signedHeaders parses a list of signed headers and checks it against the request. Each required header
// must be in the list, in which the names are in lower case, sorted, and different.
func signedHeaders(r *http.Request, list string, required ...string) ([]string, *Error) {
	names := strings.Split(list, ";")
	last := ""
	for _, name := range names {
		if name <= last || !headerName.MatchString(name) {
			return nil, invalid("signed-headers", "SignedHeaders must be a sorted list of header names in lower case.")
		}
		last = name
	}
	for _, name := range required {
		if !strings.Contains(";"+list+";", ";"+name+";") {
			if name == "host" {
				name = "Host"
			}
			return nil, invalid("signed-headers", "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	for _, name := range names {
		if _, ok := headerValue(r, name); !ok {
			return nil, invalid("signed-headers", "The request lacks a header that SignedHeaders contains.")
		}
	}
	return names, nil
}
