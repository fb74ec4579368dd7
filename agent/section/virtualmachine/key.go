package virtualmachine

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// label sorts machines and gives them the keys by which they are told apart. Several of one UUID are copies of one
// definition, of two users or started twice; in which order they count depends on what they are, and not on when they
// were found. One that is in the lists of two users is one.
func label(machines []*inventoryv1.VirtualMachine) []*inventoryv1.VirtualMachine {
	for _, m := range machines {
		if m.Uuid == "" && m.Id == "" {
			m.Id = m.Name
		}
	}
	slices.SortStableFunc(machines, func(a, b *inventoryv1.VirtualMachine) int {
		return cmp.Or(cmp.Compare(a.Uuid, b.Uuid), cmp.Compare(a.Id, b.Id), cmp.Compare(a.ConfigPath, b.ConfigPath), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.GetCpus(), b.GetCpus()), cmp.Compare(a.GetMemoryBytes(), b.GetMemoryBytes()), slices.Compare(a.Macs, b.Macs))
	})
	machines = slices.CompactFunc(machines, func(a, b *inventoryv1.VirtualMachine) bool { return a.ConfigPath != "" && proto.Equal(a, b) })
	type named struct{ uuid, id string }
	total, seen := map[named]int{}, map[named]uint32{}
	for _, m := range machines {
		total[named{m.Uuid, m.Id}]++
	}
	for _, m := range machines {
		l := named{m.Uuid, m.Id}
		if seen[l]++; total[l] > 1 || l == (named{}) {
			m.Ordinal = proto.Uint32(seen[l])
		}
	}
	return machines
}

// parseUUID gives a UUID in its one form, "" where there is none: 32 digits with or without hyphens and braces. All of
// them 0 mean that there is none.
func parseUUID(text string) string {
	digits := strings.ReplaceAll(strings.Trim(strings.TrimSpace(text), "{}"), "-", "")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 16 || strings.Trim(digits, "0") == "" {
		return ""
	}
	d := hex.EncodeToString(raw)
	return d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]
}

// parseMACs gives hardware addresses in their one form, sorted, once each. What is none is left out.
func parseMACs(texts []string) []string {
	var macs []string
	for _, text := range texts {
		raw, err := hex.DecodeString(strings.NewReplacer(":", "", "-", "").Replace(strings.TrimSpace(text)))
		if err != nil || len(raw) != 6 {
			continue
		}
		d := hex.EncodeToString(raw)
		macs = append(macs, strings.Join([]string{d[:2], d[2:4], d[4:6], d[6:8], d[8:10], d[10:]}, ":"))
	}
	slices.Sort(macs)
	return slices.Compact(macs)
}
