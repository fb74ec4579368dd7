package rpc

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	root, other := inventory.Root{1}, inventory.Root{2}
	held := inventory.SectionState{Collected: true, Root: root}
	superset := inventory.SectionState{Collected: true, Root: root, Superset: true}
	whole := []*inventoryv1.WantSection{{Section: "os"}}
	for _, c := range []struct {
		name   string
		status inventory.Status
		root   inventory.Root
		state  inventory.SectionState
		want   []*inventoryv1.WantSection
	}{
		{"the same", inventory.StatusOK, root, held, nil},
		{"never seen", inventory.StatusOK, root, inventory.SectionState{}, whole},
		{"changed", inventory.StatusOK, other, held, []*inventoryv1.WantSection{{Section: "os", BaseRoot: root[:]}}},
		{"not collected", inventory.StatusDenied, other, held, nil},
		{"never collected", inventory.StatusTimeout, root, inventory.SectionState{}, nil},
		{"complete again", inventory.StatusOK, root, superset, whole},
		{"partial still", inventory.StatusPartial, root, superset, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			summaries := []wire.Summary{{Section: "os", Status: c.status, Root: c.root}}
			got := wanted(summaries, map[string]inventory.SectionState{"os": c.state}, false)
			if diff := cmp.Diff(c.want, got.GetSections(), protocmp.Transform()); diff != "" {
				t.Errorf("wanted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadSummaries(t *testing.T) {
	t.Parallel()
	root := make([]byte, 32)
	ok := inventoryv1.Status_STATUS_OK
	for _, c := range []struct {
		name     string
		sections []*inventoryv1.Summary
		known    int
		refused  bool
	}{
		{"one", []*inventoryv1.Summary{{Section: "os", Status: ok, Root: root}}, 1, false},
		{"an unknown section is ignored", []*inventoryv1.Summary{
			{Section: "os", Status: ok, Root: root},
			{Section: "mood", Status: ok, Root: root},
		}, 1, false},
		{"denied, without a root", []*inventoryv1.Summary{
			{Section: "os", Status: inventoryv1.Status_STATUS_DENIED},
		}, 1, false},
		{"no root", []*inventoryv1.Summary{{Section: "os", Status: ok}}, 0, true},
		{"twice", []*inventoryv1.Summary{
			{Section: "os", Status: ok, Root: root},
			{Section: "os", Status: ok, Root: root},
		}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkIn := &inventoryv1.CheckIn{Sections: c.sections}
			var all []wire.Summary
			for _, s := range c.sections {
				summary := wire.Summary{Section: s.GetSection(), Status: wire.StatusFrom(s.GetStatus())}
				copy(summary.Root[:], s.GetRoot())
				all = append(all, summary)
			}
			sum := wire.InventoryRoot(all)
			checkIn.InventoryRoot = sum[:]
			got, err := readSummaries(checkIn)
			if (err != nil) != c.refused || len(got) != c.known {
				t.Errorf("got %d sections and %v, want %d and refused=%v", len(got), err, c.known, c.refused)
			}
			checkIn.InventoryRoot = make([]byte, 32)
			var rejection *inventory.Error
			if _, err := readSummaries(checkIn); !errors.As(err, &rejection) || rejection.Code != inventory.CodeInvalid {
				t.Errorf("a root that is not that of the summaries: %v", err)
			}
		})
	}
}
