package logtext

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

// line returns the line of a record without its time.
func line(log func(*slog.Logger)) string {
	var b bytes.Buffer
	log(slog.New(New(&b, slog.LevelInfo)))
	_, text, _ := strings.Cut(b.String(), " ")
	return text
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		log  func(*slog.Logger)
		want string
	}{
		{func(l *slog.Logger) {
			l.Info("publish", "client", "lamp", "topic", "room/1", "bytes", 0, "retain", false)
		}, "publish client=lamp topic=room/1 bytes=0\n"},
		{func(l *slog.Logger) { l.Info("publish", "client", "", "error", error(nil), "retain", true) }, "publish retain=true\n"},
		{func(l *slog.Logger) { l.Warn("protocol error: closing", "error", errors.New("an error")) }, "WARN protocol error: closing error=\"an error\"\n"},
		{func(l *slog.Logger) { l.Error("x", "after", time.Second) }, "ERROR x after=1s\n"},
		{func(l *slog.Logger) { l.Info("x", "topic", "a=b", "client", `"`) }, `x topic="a=b" client="\""` + "\n"},
		{func(l *slog.Logger) { l.Info("x", "topic", "a\nINFO fake client=other\x1b[2J") }, `x topic="a\nINFO fake client=other\x1b[2J"` + "\n"},
		{func(l *slog.Logger) { l.Info("x", "topic", "\xff\u202e") }, `x topic="\xff\u202e"` + "\n"},
		{func(l *slog.Logger) { l.Info("x", "topic", "straße/ü") }, "x topic=straße/ü\n"},
		{func(l *slog.Logger) { l.Info("http: error\nfrom a client\n") }, `"http: error\nfrom a client"` + "\n"},
		{func(l *slog.Logger) { l.Info("x", "topic", strings.Repeat("a", 2*maxValue)) }, "x topic=" + strings.Repeat("a", maxValue) + "…\n"},
		{func(l *slog.Logger) { l.With("a", 1).WithGroup("g").With("b", 2).Info("x", "c", 3) }, "x a=1 g.b=2 g.c=3\n"},
		{func(l *slog.Logger) { l.Debug("x") }, ""},
	} {
		if got := line(test.log); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

// The Handler obeys the rules of slog.
func TestSlog(t *testing.T) {
	var b bytes.Buffer
	results := func(t *testing.T) map[string]any {
		record := make(map[string]any)
		fields := strings.Fields(b.String())
		if len(fields[0]) == len("15:04:05.000") {
			record[slog.TimeKey], fields = fields[0], fields[1:]
		}
		record[slog.LevelKey], record[slog.MessageKey] = "INFO", fields[0]
		for _, field := range fields[1:] {
			name, value, _ := strings.Cut(field, "=")
			groups := strings.Split(name, ".")
			group := record
			for _, g := range groups[:len(groups)-1] {
				if group[g] == nil {
					group[g] = make(map[string]any)
				}
				group = group[g].(map[string]any)
			}
			group[groups[len(groups)-1]] = value
		}
		return record
	}
	slogtest.Run(t, func(*testing.T) slog.Handler {
		b.Reset()
		return New(&b, slog.LevelInfo)
	}, results)
}

func FuzzValue(f *testing.F) {
	f.Add("client", "a\nb")
	f.Add("a b", "\u2028")
	f.Fuzz(func(t *testing.T, message, value string) {
		got := line(func(l *slog.Logger) { l.Info(message, "value", value) })
		if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") || strings.ContainsFunc(got[:len(got)-1], isControl) {
			t.Errorf("%q", got)
		}
	})
}
