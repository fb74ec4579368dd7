package rpc

import (
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

func TestStateOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		held, previous string
		presented      string
		want           tokenState
	}{
		{"a new agent", "", "", "", current},
		{"state of another collector, before the first commit", "", "", "t1", current},
		{"the last token", "t2", "t1", "t2", current},
		{"the Ack of the last commit was lost", "t2", "t1", "t1", lostAck},
		{"the Ack of the first commit was lost", "t1", "", "", lostAck},
		{"a restored copy", "t3", "t2", "t1", stale},
		{"state lost, key kept", "t3", "t2", "", stale},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			record := inventory.Record{Token: []byte(c.held), PreviousToken: []byte(c.previous)}
			if got := stateOf(record, []byte(c.presented)); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestDiffers(t *testing.T) {
	t.Parallel()
	held := map[string]uint64{"smbios": 1, "board": 2, "mac": 3, "disk": 4}
	for _, c := range []struct {
		name      string
		presented map[string]uint64
		want      bool
	}{
		{"the same", map[string]uint64{"smbios": 1, "board": 2, "mac": 3, "disk": 4}, false},
		{"another disk", map[string]uint64{"smbios": 1, "board": 2, "mac": 3, "disk": 9}, false},
		{"another machine", map[string]uint64{"smbios": 9, "board": 9, "mac": 9, "disk": 9}, true},
		{"two families differ", map[string]uint64{"smbios": 1, "board": 2, "mac": 9, "disk": 9}, true},
		{"unknown is not different", map[string]uint64{}, false},
		{"a family that was not known before", map[string]uint64{"tpm": 1, "smbios": 9}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := differs(held, c.presented); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTokensAreNew(t *testing.T) {
	t.Parallel()
	a, b := newToken(), newToken()
	if len(a) != tokenSize || string(a) == string(b) {
		t.Errorf("tokens %x and %x", a, b)
	}
	if keepable([]byte("not sixteen")) != nil || keepable(a) == nil {
		t.Error("only what may be one of our tokens is kept")
	}
}
