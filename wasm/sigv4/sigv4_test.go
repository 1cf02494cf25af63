package sigv4

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/sigv4verify"
	"iot.wasm/wasm/secret"
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
			cred := Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: secret.String(c.SecretAccessKey)}
			if c.SessionToken != nil {
				cred.SessionToken = secret.String(*c.SessionToken)
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
					got, err := Presign(e, cred, now, expires)
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

func TestParseEndpoint(t *testing.T) {
	for _, c := range []struct{ in, region, url, gotRegion string }{
		{"A1-ats.iot.EU-west-1.amazonaws.com", "", "wss://a1-ats.iot.eu-west-1.amazonaws.com/mqtt", "eu-west-1"},
		{"  wss://a.iot.us-east-1.amazonaws.com:443/  ", "", "wss://a.iot.us-east-1.amazonaws.com/mqtt", "us-east-1"},
		{"https://a.iot.us-east-1.amazonaws.com", "", "wss://a.iot.us-east-1.amazonaws.com/mqtt", "us-east-1"},
		{"a.iot-fips.us-gov-west-1.amazonaws.com", "", "wss://a.iot-fips.us-gov-west-1.amazonaws.com/mqtt", "us-gov-west-1"},
		{"data.iot.us-east-1.amazonaws.com", "", "wss://data.iot.us-east-1.amazonaws.com/mqtt", "us-east-1"},
		{"a.ats.iot.cn-north-1.amazonaws.com.cn", "", "wss://a.ats.iot.cn-north-1.amazonaws.com.cn/mqtt", "cn-north-1"},
		{"a.iot.us-iso-east-1.c2s.ic.gov", "", "wss://a.iot.us-iso-east-1.c2s.ic.gov/mqtt", "us-iso-east-1"},
		{"a.iot.us-isob-east-1.sc2s.sgov.gov", "", "wss://a.iot.us-isob-east-1.sc2s.sgov.gov/mqtt", "us-isob-east-1"},
		{"a.iot.eusc-de-east-1.amazonaws.eu", "", "wss://a.iot.eusc-de-east-1.amazonaws.eu/mqtt", "eusc-de-east-1"},
		{"mqtt.example.org", " EU-west-1 ", "wss://mqtt.example.org/mqtt", "eu-west-1"},
		{"a.iot.us-east-1.amazonaws.com", "eu-west-1", "wss://a.iot.us-east-1.amazonaws.com/mqtt", "eu-west-1"},
		{"ws://localhost:80/x/y?z=1", "", "ws://localhost/x/y?z=1", ""},
		{"ws://[::1]:8080", "", "ws://[::1]:8080/mqtt", ""},
		{"wss://example.org:80", "", "wss://example.org:80/mqtt", ""},
		{"iot.us-east-1.amazonaws.com.evil.example", "", "wss://iot.us-east-1.amazonaws.com.evil.example/mqtt", ""},
	} {
		e, err := ParseEndpoint(c.in, c.region)
		if err != nil || e.URL() != c.url || e.Region != c.gotRegion {
			t.Errorf("%q: %s, region %q, %v; want %s, %q", c.in, e.URL(), e.Region, err, c.url, c.gotRegion)
		}
	}
	for _, in := range []string{"", " ", "ftp://x", "wss://", "wss://u:p@x", "wss://x/#f", "wss://x/#", "wss://ex ample", "wss://é.example", "http://%zz", "wss://x:port"} {
		if e, err := ParseEndpoint(in, ""); err == nil {
			t.Errorf("%q is accepted: %+v", in, e)
		}
	}
}

func TestPresignErrors(t *testing.T) {
	e, err := ParseEndpoint("a.iot.us-east-1.amazonaws.com", "")
	if err != nil {
		t.Fatal(err)
	}
	good := Credentials{AccessKeyID: "AKID", SecretAccessKey: "very-secret"}
	now := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		e       func(*Endpoint)
		c       func(*Credentials)
		now     time.Time
		expires int
	}{
		"no key":             {c: func(c *Credentials) { c.AccessKeyID = "" }, now: now},
		"no secret":          {c: func(c *Credentials) { c.SecretAccessKey = "" }, now: now},
		"slash in key":       {c: func(c *Credentials) { c.AccessKeyID = "a/b" }, now: now},
		"space after secret": {c: func(c *Credentials) { c.SecretAccessKey = "x\n" }, now: now},
		"no region":          {e: func(e *Endpoint) { e.Region = "" }, now: now},
		"expires":            {expires: maxExpires + 1, now: now},
		"negative expires":   {expires: -1, now: now},
		"year":               {now: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"signed already":     {e: func(e *Endpoint) { e.Query = "X-Amz-Date=1" }, now: now},
		"broken query":       {e: func(e *Endpoint) { e.Query = "a=%zz" }, now: now},
	} {
		endpoint, credentials := e, good
		if c.e != nil {
			c.e(&endpoint)
		}
		if c.c != nil {
			c.c(&credentials)
		}
		url, err := Presign(endpoint, credentials, c.now, c.expires)
		if err == nil || url != "" {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: the error contains the secret", name)
		}
	}
}

func TestCredentialsAreRedacted(t *testing.T) {
	c := Credentials{AccessKeyID: "AKID", SecretAccessKey: "very-secret", SessionToken: "very-secret"}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v", c, c), fmt.Sprintf("%v", &c), string(text)} {
		if strings.Contains(out, "very") || strings.Contains(out, fmt.Sprintf("%x", "very")) || !strings.Contains(out, "redacted") {
			t.Errorf("the output contains the secret, or is not redacted: %s", out)
		}
	}
}

// FuzzPresign checks signed URLs with sigv4verify, which shares no code with the
// signer.
func FuzzPresign(f *testing.F) {
	f.Add("a1-ats.iot.us-east-1.amazonaws.com", "us-east-1", "AKID", "wJalr/UtnFEMI+K7", "to/ken+==", int64(1e9), 300)
	f.Add("ws://LOCALHOST:8080/a b/c?x=1&y=%2F", "eu-west-1", "A", "s", "", int64(0), 0)
	f.Fuzz(func(t *testing.T, endpoint, region, id, key, token string, at int64, expires int) {
		e, err := ParseEndpoint(endpoint, region)
		if err != nil || e.Path != "/mqtt" || e.Region == "" || strings.ContainsAny(e.Region, "/%+ ") {
			return
		}
		now := time.Unix(at, 0)
		c := Credentials{AccessKeyID: id, SecretAccessKey: secret.String(key), SessionToken: secret.String(token)}
		signed, err := Presign(e, c, now, expires)
		if err != nil {
			return
		}
		// Browsers parse the URL as net/url does, and send the host in lower case.
		r, err := http.NewRequest(http.MethodGet, strings.Replace(signed.Reveal(), "ws", "http", 1), nil)
		if err != nil {
			t.Fatalf("%s: %v", signed.Reveal(), err)
		}
		v := sigv4verify.Verifier{
			Region: e.Region, Service: service, Now: func() time.Time { return now },
			Lookup: func(got string) (sigv4verify.Key, bool) {
				return sigv4verify.Key{Secret: key, SessionToken: token}, got == id
			},
		}
		if err := v.Verify(r); err != nil {
			t.Errorf("Verify returns %v for %s", err, signed.Reveal())
		}
	})
}
