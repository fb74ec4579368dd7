package main

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/internal/wire"
)

// TestItemsHaveKeys inventories this machine and a recorded Mac. The collector leaves out an item
// without a key, because nothing tells it from other items.
func TestItemsHaveKeys(t *testing.T) {
	t.Parallel()
	recorded, err := host.Replay(mac(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, machine := range map[string]*host.Host{"this machine": host.Local(), "a Mac": recorded} {
		for _, report := range section.Run(t.Context(), machine, collectors()) {
			s, found := wire.Lookup(report.Section)
			if !found {
				t.Fatalf("the wire has no section %s", report.Section)
			}
			for _, item := range report.Items {
				if !s.HasKey(item.ProtoReflect()) {
					t.Errorf("%s, section %s: an item has no key: %s", name, report.Section, prototext.Format(item))
				}
			}
		}
	}
}
