package virtualmachine

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// label sorts machines and completes their keys. Machines with the same UUID are copies of one
// definition, of two users or started twice. Their order depends on their content, not on the order
// of discovery. A machine that two users list is one machine.
func label(machines []*inventoryv1.VirtualMachine) []*inventoryv1.VirtualMachine {
	for _, m := range machines {
		if m.Uuid == "" && m.Id == "" {
			m.Id = m.Name
		}
	}
	slices.SortStableFunc(machines, func(a, b *inventoryv1.VirtualMachine) int {
		return cmp.Or(
			cmp.Compare(a.Uuid, b.Uuid), cmp.Compare(a.Id, b.Id),
			cmp.Compare(a.ConfigPath, b.ConfigPath), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.GetCpus(), b.GetCpus()), cmp.Compare(a.GetMemoryBytes(), b.GetMemoryBytes()),
			slices.Compare(a.Macs, b.Macs),
		)
	})
	machines = slices.CompactFunc(machines, func(a, b *inventoryv1.VirtualMachine) bool {
		return a.ConfigPath != "" && proto.Equal(a, b)
	})
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

// parseUUID returns a UUID in canonical form, from 32 digits with or without hyphens and braces. It
// returns "" if the text is not a UUID or has only zeros.
func parseUUID(text string) string {
	digits := strings.ReplaceAll(strings.Trim(strings.TrimSpace(text), "{}"), "-", "")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 16 || strings.Trim(digits, "0") == "" {
		return ""
	}
	d := hex.EncodeToString(raw)
	return d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]
}

// parseMACs returns the valid hardware addresses in canonical form, sorted and without duplicates.
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
