package identify_test

import (
	"testing"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

func TestAction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before   string
		to       string
		previous []string
		members  int
		want     string
	}{
		"a new record, alone":                     {"", "own", nil, 0, inventory.ActionCreated},
		"a new record of a known CI":              {"", "other", nil, 1, inventory.ActionLinked},
		"a new record whose default CI is in use": {"", "own", nil, 1, inventory.ActionLinked},
		"the same CI":                             {"own", "own", nil, 1, inventory.ActionConfirmed},
		"another CI":                              {"own", "other", nil, 1, inventory.ActionMerged},
		"another CI, and its own is a past one":   {"own", "other", []string{"own"}, 1, inventory.ActionMoved},
		"back to its own CI":                      {"other", "own", nil, 0, inventory.ActionSplit},
		"from one foreign CI to another":          {"other", "third", nil, 1, inventory.ActionSplit},
		"from one foreign CI to another device":   {"other", "third", []string{"other"}, 0, inventory.ActionMoved},
	} {
		to := inventory.Assignment{CI: c.to, PreviousCIs: c.previous}
		if got := identify.Action(c.before, to, "own", c.members); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
