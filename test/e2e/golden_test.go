package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type goldenCase struct{ name, options, url string }

// golden are the cases of wasm/sigv4, as JavaScript that iot.presign() takes.
func golden(t *testing.T) (list []goldenCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "wasm/sigv4/testdata/sigv4-golden.json"))
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
		t.Fatalf("only %d cases", len(list))
	}
	return list
}
