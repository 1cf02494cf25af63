package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// redactingHandler writes the log records of mochi-mqtt to a Handler. It removes the attributes that
// contain packets, because packets contain payloads, user names and passwords. It drops records below
// the level Warn. It also drops records about a closed connection, which mochi-mqtt logs for every
// client that disconnects.
type redactingHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h redactingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h redactingHandler) Handle(ctx context.Context, record slog.Record) error {
	redacted := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	connectionClosed := false
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && errors.Is(err, net.ErrClosed) {
			connectionClosed = true
		}
		if a.Key != "pk" && a.Key != "packet" {
			redacted.AddAttrs(a)
		}
		return true
	})
	if connectionClosed {
		return nil
	}
	return h.Handler.Handle(ctx, redacted)
}

// WithAttrs implements slog.Handler.
func (h redactingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return redactingHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h redactingHandler) WithGroup(name string) slog.Handler {
	return redactingHandler{h.Handler.WithGroup(name)}
}
