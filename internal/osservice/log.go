package osservice

import (
	"context"
	"io"
	"log/slog"
)

// newLogger returns a logger that writes to out. For journald, which dates each line itself, it
// leaves out the time and adds the priority of the line (sd-daemon(3)).
func newLogger(out io.Writer, journald bool) *slog.Logger {
	if !journald {
		return slog.New(slog.NewTextHandler(out, nil))
	}
	undated := &slog.HandlerOptions{ReplaceAttr: withoutTimeAndLevel}
	return slog.New(lineHandler{
		encode: func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, undated) },
		write: func(level slog.Level, line []byte) error {
			_, err := out.Write(append([]byte(priority(level)), line...))
			return err
		},
	})
}

func withoutTimeAndLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	}
	return "<6>"
}

// lineHandler encodes each record as a line and writes it together with its level. The agent logs a
// few lines a day, so it makes an encoder for each.
type lineHandler struct {
	encode func(io.Writer) slog.Handler
	write  func(slog.Level, []byte) error
}

func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h lineHandler) Handle(ctx context.Context, record slog.Record) error {
	var line lineBuffer
	if err := h.encode(&line).Handle(ctx, record); err != nil {
		return err
	}
	return h.write(record.Level, line)
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lineHandler{write: h.write, encode: func(w io.Writer) slog.Handler { return h.encode(w).WithAttrs(attrs) }}
}

func (h lineHandler) WithGroup(name string) slog.Handler {
	return lineHandler{write: h.write, encode: func(w io.Writer) slog.Handler { return h.encode(w).WithGroup(name) }}
}

type lineBuffer []byte

func (b *lineBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
