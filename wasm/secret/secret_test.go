package secret

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestReveal(t *testing.T) {
	for _, text := range []string{"", "very-secret", "\x00\xff"} {
		if got := String(text).Reveal(); got != text {
			t.Errorf("%q is revealed as %q", text, got)
		}
	}
}

func TestOutputIsRedacted(t *testing.T) {
	const text = "very-secret"
	s := String(text)
	outer := struct {
		S String
		P *String
	}{s, &s}
	outputs := map[string]string{"String": s.String(), "GoString": s.GoString(), "Sprint": fmt.Sprint(s), "Sprintln": fmt.Sprintln(outer)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%20s", "%.3s"} {
		outputs[verb] = fmt.Sprintf(verb, s)
		if verb != "%d" {
			outputs[verb+" of a struct"] = fmt.Sprintf(verb, struct{ S String }{s})
		}
	}
	if data, err := json.Marshal(outer); err != nil {
		t.Error(err)
	} else {
		outputs["json"] = string(data)
	}
	if data, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"secret"`
		S       String
	}{S: s}); err != nil {
		t.Error(err)
	} else {
		outputs["xml"] = string(data)
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("message", "s", s, "outer", outer)
	outputs["slog"] = b.String()
	for name, out := range outputs {
		if strings.Contains(out, "ver") || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", "ver")) || strings.Contains(out, fmt.Sprintf("% x", "ver")) || !strings.Contains(out, redacted) {
			t.Errorf("the output of %s contains the secret, or is not redacted: %s", name, out)
		}
	}
}
