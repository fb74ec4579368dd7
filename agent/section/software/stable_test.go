package software

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
)

func TestReadStable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		changes   int // number of first readings during which the file changes
		wantReads int
		wantErr   error
	}{
		{"quiet", 0, 1, nil},
		{"rewritten once", 1, 2, nil},
		{"rewritten all the time", 2, 2, errChanging},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, root, "/db", "1")
			h, err := host.Tree(root)
			if err != nil {
				t.Fatal(err)
			}
			l, reads := newList(release{}), 0
			l.items = make([]proto.Message, 3)
			err = l.readStable(h, []string{"/db", "/not there"}, func() error {
				if reads++; reads <= test.changes {
					write(t, root, "/db", string(make([]byte, reads+1)))
				}
				l.add("dpkg", purlDeb, found{name: []byte("a")})
				return nil
			})
			if reads != test.wantReads || !errors.Is(err, test.wantErr) || len(l.items) != 3+1 {
				t.Errorf("%d reads, %d items, error %v", reads, len(l.items), err)
			}
		})
	}
}
