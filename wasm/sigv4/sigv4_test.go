package sigv4

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

type golden struct {
	Cases []struct {
		Name, Host, Region, Date, AccessKeyID, SecretAccessKey string
		Port                                                   int
		SessionToken                                           *string
		Expires                                                *int
		URL                                                    string
	}
}

func TestGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/sigv4-golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) != 20 {
		t.Fatalf("%d cases, want 20", len(g.Cases))
	}
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			now, err := time.Parse("20060102T150405Z", c.Date)
			if err != nil {
				t.Fatal(err)
			}
			cred := Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: Secret(c.SecretAccessKey)}
			if c.SessionToken != nil {
				cred.SessionToken = Secret(*c.SessionToken)
			}
			expires := 0
			if c.Expires != nil {
				expires = *c.Expires
			}
			scheme := c.URL[:strings.Index(c.URL, "://")]
			spellings := []string{
				fmt.Sprintf("%s://%s:%d/mqtt", scheme, c.Host, c.Port),
				fmt.Sprintf("%s://%s:%d", scheme, strings.ToUpper(c.Host), c.Port),
			}
			if c.Port == 443 && scheme == "wss" {
				spellings = append(spellings, c.Host, c.Host+"/mqtt", "wss://"+c.Host+"/", strings.ToUpper(c.Host))
			}
			for _, s := range spellings {
				for _, region := range []string{c.Region, ""} {
					e, err := ParseEndpoint(s, region)
					if err != nil {
						t.Fatalf("%s: %v", s, err)
					}
					if region == "" && !e.IsAWS() {
						continue
					}
					got, err := Presign(t.Context(), e, cred, now, expires)
					if err != nil {
						t.Fatalf("%s: %v", s, err)
					}
					if got.Reveal() != c.URL {
						t.Errorf("%s, region %q:\n got %s\nwant %s", s, region, got.Reveal(), c.URL)
					}
				}
			}
		})
	}
}
