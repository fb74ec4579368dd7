package memory

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestWindowsWithoutTable: without an SMBIOS table, Windows knows the size of all memory.
func TestWindowsWithoutTable(t *testing.T) {
	t.Parallel()
	h := hosttest.WindowsMachine(t, host.NewRegistryTree(), []hosttest.Call{
		{Call: "platform", Value: host.Platform{MemoryBytes: 8 << 30}},
	})
	items, err := collect(t.Context(), h)
	want := []proto.Message{&inventoryv1.Memory{SizeBytes: proto.Uint64(8 << 30), IsTotal: true}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
