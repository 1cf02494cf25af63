package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"
)

// discreet is a handler for the broker's log, which holds whole packets: payloads, user names and
// passwords among them. They are left out, and so is everything below a warning, and what happens
// whenever a client goes: that its connection is closed.
type discreet struct{ slog.Handler }

func (d discreet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && d.Handler.Enabled(ctx, level)
}

func (d discreet) Handle(ctx context.Context, record slog.Record) error {
	kept := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	gone := false
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && errors.Is(err, net.ErrClosed) {
			gone = true
		}
		if a.Key != "pk" && a.Key != "packet" {
			kept.AddAttrs(a)
		}
		return true
	})
	if gone {
		return nil
	}
	return d.Handler.Handle(ctx, kept)
}

func (d discreet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return discreet{d.Handler.WithAttrs(attrs)}
}

func (d discreet) WithGroup(name string) slog.Handler { return discreet{d.Handler.WithGroup(name)} }
