// Package logtext prints log records as compact lines for a person who watches a terminal:
//
//	15:04:05.000 publish client=lamp topic=room/1 bytes=5 qos=1
//	15:04:06.000 WARN protocol error: closing the connection client=lamp reason="malformed packet"
package logtext

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxValue is the length of the longest value that a line contains, in bytes. A longer value is shortened.
const maxValue = 1000

// A Handler is a slog.Handler that prints one line for each record. It omits attributes that are empty
// strings, nil or false, and the level Info. Values come from clients, so the Handler quotes a value that
// contains a space, a quotation mark, an equals sign, a control character or invalid UTF-8: a value cannot
// contain a line end, another attribute or a control sequence for the terminal.
type Handler struct {
	level  slog.Leveler
	mu     *sync.Mutex // guards w
	w      io.Writer
	prefix string // of the names of attributes
	attrs  []slog.Attr
}

// New returns a Handler that prints records of a level and above to w.
func New(w io.Writer, level slog.Leveler) *Handler {
	return &Handler{level: level, mu: new(sync.Mutex), w: w}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		with.attrs = append(with.attrs, a)
	}
	return &with
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	with := *h
	if name != "" {
		with.prefix += name + "."
	}
	return &with
}

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var line bytes.Buffer
	if !r.Time.IsZero() {
		line.WriteString(r.Time.Format("15:04:05.000 "))
	}
	if r.Level != slog.LevelInfo {
		line.WriteString(r.Level.String() + " ")
	}
	line.WriteString(message(r.Message))
	for _, a := range h.attrs {
		write(&line, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		write(&line, h.prefix, a)
		return true
	})
	line.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(line.Bytes())
	return err
}

// write writes an attribute with a space before it.
func write(line *bytes.Buffer, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			write(line, prefix, member)
		}
		return
	}
	text := ""
	switch v.Kind() {
	case slog.KindBool:
		if !v.Bool() {
			return
		}
		text = "true"
	case slog.KindTime:
		text = v.Time().Format(time.RFC3339)
	case slog.KindAny:
		if v.Any() == nil {
			return
		}
		text = fmt.Sprint(v.Any())
	default:
		text = v.String()
	}
	if text == "" {
		return
	}
	fmt.Fprintf(line, " %s%s=%s", prefix, a.Key, quote(shorten(text)))
}

// message returns a message of a record. Only the messages of net/http contain text of clients.
func message(s string) string {
	s = strings.TrimRight(s, "\n")
	if strings.ContainsFunc(s, isControl) || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}

func shorten(s string) string {
	if len(s) > maxValue {
		return s[:maxValue] + "…"
	}
	return s
}

func quote(s string) string {
	special := func(r rune) bool { return isControl(r) || unicode.IsSpace(r) || r == '"' || r == '=' }
	if strings.ContainsFunc(s, special) || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}

// isControl reports whether strconv.Quote escapes a character other than the quotation mark.
func isControl(r rune) bool { return !unicode.IsPrint(r) }
