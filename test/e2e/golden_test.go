package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// goldenCase is a case of wasm/sigv4: a URL, and the options of iot.presign() for it as
// JavaScript.
type goldenCase struct{ name, options, url string }

// golden reads the cases of wasm/sigv4.
func golden(t *testing.T) (list []goldenCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(harness.Root, "wasm/sigv4/testdata/sigv4-golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name, Region, Date, AccessKeyID, SecretAccessKey string
			SessionToken                                     *string
			Expires                                          *int
			URL                                              string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		date, err := time.Parse("20060102T150405Z", c.Date)
		if err != nil {
			t.Fatal(err)
		}
		credentials := map[string]any{"accessKeyId": c.AccessKeyID, "secretAccessKey": c.SecretAccessKey}
		if c.SessionToken != nil {
			credentials["sessionToken"] = *c.SessionToken
		}
		options := map[string]any{"endpoint": strings.SplitN(c.URL, "?", 2)[0], "region": c.Region, "credentials": credentials, "date": "DATE"}
		if c.Expires != nil {
			options["expires"] = *c.Expires
		}
		text, err := json.Marshal(options)
		if err != nil {
			t.Fatal(err)
		}
		js := strings.Replace(string(text), `"DATE"`, `new Date("`+date.Format(time.RFC3339)+`")`, 1)
		list = append(list, goldenCase{c.Name, js, c.URL})
	}
	if len(list) < 20 {
		t.Fatalf("the file contains only %d cases", len(list))
	}
	return list
}

func TestGoldenSignaturesInTheBrowser(t *testing.T) {
	b := openModule(t, harness.Serve(t))
	for _, c := range golden(t) {
		got := b.Text(fmt.Sprintf(`await iot.presign(%s)`, c.options))
		if got != c.url {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.url)
		}
	}
}
