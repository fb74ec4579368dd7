package section

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/internal/inventory"
)

// TestDeniedInOneLine: what an ordinary user may not read is one line, however many files it is.
func TestDeniedInOneLine(t *testing.T) {
	t.Parallel()
	denied := func(name string) error { return &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission} }
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"one", "open /a: permission denied; run the agent as root", denied("/a")},
		{
			"several", "open /a: permission denied, and 3 more; run the agent as root",
			errors.Join(denied("/a"), denied("/b"), fmt.Errorf("home: %w", errors.Join(denied("/a"), denied("/c")))),
		},
	} {
		collect := func(context.Context, *host.Host) ([]proto.Message, error) { return nil, c.err }
		got := Run(t.Context(), nil, []Collector{{Name: "x", Collect: collect}})[0]
		if got.Status != inventory.StatusDenied || got.Message != c.want {
			t.Errorf("%s: %s %q, want %q", c.name, got.Status, got.Message, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"a\nb\n\na\n":                         "a; b",
		"a \xff b":                            "a \uFFFD b",
		strings.Repeat("é", maxMessage):       strings.Repeat("é", maxMessage/2),
		"x" + strings.Repeat("é", maxMessage): "x" + strings.Repeat("é", maxMessage/2-1),
	} {
		got := oneLine(lines(message))
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%.20q: got %.40q", message, got)
		}
	}
}
