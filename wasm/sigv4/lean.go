package sigv4

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// signLean presigns the URL of e. Its result is that of signAWS; FuzzLean compares
// both. signLean does not import net/http, which makes up about a third of the wasm.
// The query of e must be encoded by url.Values.Encode.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func signLean(e Endpoint, c Credentials, now time.Time) string {
	date := now.Format("20060102T150405Z")
	scope := date[:8] + "/" + e.Region + "/" + service + "/aws4_request"
	query, _ := url.ParseQuery(e.Query) // Presign has encoded it
	for name, value := range map[string]string{
		"X-Amz-Algorithm":     "AWS4-HMAC-SHA256",
		"X-Amz-Credential":    c.AccessKeyID + "/" + scope,
		"X-Amz-Date":          date,
		"X-Amz-SignedHeaders": "host",
	} {
		query.Set(name, value)
	}
	var pairs [][2]string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, [2]string{escape(name), escape(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { // SigV4 sorts the encoded form
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	})
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p[0] + "=" + p[1]
	}
	e.Query = strings.Join(parts, "&")
	canonical := strings.Join([]string{"GET", escapePath(e.Path), e.Query, "host:" + e.Host, "", "host", emptyHash}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + c.SecretAccessKey.Reveal())
	for _, part := range []string{date[:8], e.Region, service, "aws4_request", "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(hash[:])} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return e.URL() + "&X-Amz-Signature=" + hex.EncodeToString(key)
}

// escapePath percent-encodes a percent-encoded path a second time. All AWS services
// except S3 require this.
func escapePath(path string) string { return strings.ReplaceAll(escape(path), "%2F", "/") }
