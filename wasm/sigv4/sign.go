package sigv4

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sign presigns the URL of e with the signer of the AWS SDK.
func sign(e Endpoint, c Credentials, now time.Time) (string, error) {
	address, err := url.Parse(e.URL())
	if err != nil {
		return "", err
	}
	r := &http.Request{Method: http.MethodGet, Header: http.Header{}, Host: e.Host, URL: address}
	key := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal()}
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), key, r, emptyHash, service, e.Region, now)
	return signed, err
}
