package interop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	"iot.wasm/test/harness"
)

// awsHost is an endpoint that AWS could give an account. The SDK reads the region from it.
const awsHost = "local-ats.iot.us-east-1.amazonaws.com"

// TestChromium runs the browser build of aws-iot-device-sdk-v2. Its clients drop a port, so Chromium
// resolves port 443 of awsHost to the stand-in, and accepts the key of its certificate.
func TestChromium(t *testing.T) {
	t.Parallel()
	s := start(t, "-allow-host", awsHost)
	browser, stop, err := harness.LaunchChromium(context.Background(),
		chromedp.Flag("host-resolver-rules", fmt.Sprintf("MAP %s:443 127.0.0.1:%d, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", awsHost, s.Port)),
		chromedp.Flag("ignore-certificate-errors-spki-list", publicKeyHash(t, s)),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	page := harness.Web(t, t.TempDir(), bundlePage(t))
	settings := *s
	settings.Host = awsHost
	for _, test := range []struct{ name, function, thing, want string }{
		{"MQTT 5", "runMQTT5", "chromium-5", `["connected",[1],0,["chromium-5/hello","hello"]]`},
		{"MQTT 3.1.1 and shadow client", "runShadow", "chromium-3", `["connected",{"reported":{"client":"chromium","colour":"red"}}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			argument, err := json.Marshal(struct {
				standIn
				Thing string `json:"thing"`
			}{settings, test.thing})
			if err != nil {
				t.Fatal(err)
			}
			tab := harness.Open(t, browser, page, 20*time.Second)
			got := harness.Await[any](tab, test.function+"("+string(argument)+")")
			if text, err := json.Marshal(got); err != nil || !sameJSON(t, string(text), test.want) {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
	if reported := s.reported(t, "chromium-3"); fmt.Sprint(reported) != "map[client:chromium colour:red]" {
		t.Errorf("the reported state is %v", reported)
	}
}

// bundlePage returns a page with pages/sdk2.js and the SDK.
func bundlePage(t *testing.T) harness.Files {
	t.Helper()
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"pages/sdk2.js"},
		Bundle:      true,
		Platform:    api.PlatformBrowser,
		Define:      map[string]string{"global": "globalThis"},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors[0].Text)
	}
	return harness.Files{
		"/":        {Body: `<!doctype html><meta charset="utf-8"><title>SDK</title><script src="sdk2.js"></script>`},
		"/sdk2.js": {Body: string(result.OutputFiles[0].Contents)},
	}
}

// publicKeyHash returns the base64 SHA-256 hash of the public key of the stand-in's certificate.
func publicKeyHash(t *testing.T, s *standIn) string {
	t.Helper()
	response, err := s.client.Get(s.URL + "/local.json")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	hash := sha256.Sum256(response.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:])
}
