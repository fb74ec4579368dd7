package wire_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func rootOf(items [][]byte) inventory.Root {
	var root inventory.Root
	for _, item := range items {
		root = wire.HashOf(item).AddTo(root)
	}
	return root
}

func TestRootKnowsNoOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "items")
		if rootOf(items) != rootOf(rapid.Permutation(items).Draw(t, "other order")) {
			t.Fatal("two orders, two roots")
		}
	})
}

func TestRemoveUndoesAdd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "items")
		root := rootOf(items)
		more := rapid.SliceOf(rapid.Byte()).Draw(t, "more")
		after := wire.HashOf(more).AddTo(root)
		if after == root {
			t.Fatal("adding an item changed nothing")
		}
		if wire.HashOf(more).RemoveFrom(after) != root {
			t.Fatal("removing it did not lead back")
		}
	})
}

func TestInventoryRoot(t *testing.T) {
	t.Parallel()
	base := wire.Summary{Section: "os", Status: inventory.StatusOK, Root: inventory.Root{1}}
	for _, c := range []struct {
		name   string
		change func(*wire.Summary)
		same   bool
	}{
		{"other items", func(s *wire.Summary) { s.Root[0] = 2 }, false},
		{"other status", func(s *wire.Summary) { s.Status = inventory.StatusPartial }, false},
		{"other message", func(s *wire.Summary) { s.Message = "cut off" }, false},
		{"other section", func(s *wire.Summary) { s.Section = "cpu" }, false},
		{"the same", func(*wire.Summary) {}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			other := base
			c.change(&other)
			if got := wire.InventoryRoot([]wire.Summary{other}) == wire.InventoryRoot([]wire.Summary{base}); got != c.same {
				t.Errorf("same root: %v, want %v", got, c.same)
			}
		})
	}
	denied := wire.Summary{Section: "os", Status: inventory.StatusDenied}
	other := denied
	other.Root[0] = 9
	if wire.InventoryRoot([]wire.Summary{denied}) != wire.InventoryRoot([]wire.Summary{other}) {
		t.Error("the root of a section that was not collected means nothing, and counts")
	}
}

// TestStatusesTravel converts every status of the .proto to the domain's and back.
func TestStatusesTravel(t *testing.T) {
	t.Parallel()
	for number := range inventoryv1.Status_name {
		status := inventoryv1.Status(number)
		want := status
		if status == inventoryv1.Status_STATUS_UNSPECIFIED {
			want = inventoryv1.Status_STATUS_ERROR
		}
		if got := wire.StatusTo(wire.StatusFrom(status)); got != want {
			t.Errorf("%v came back as %v, want %v", status, got, want)
		}
	}
	if got := wire.StatusFrom(99); got != inventory.StatusError {
		t.Errorf("a status of the future is %q, want error", got)
	}
}
