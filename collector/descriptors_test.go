package main

import "testing"

func TestDivide(t *testing.T) {
	t.Parallel()
	for _, all := range []int{64, 256, 512, 1024, 4096, 20_000, 65_536, 1 << 20} {
		d := divide(all)
		if d.agents < 1 || d.api < 1 || d.glpi < 1 || d.metrics < 1 {
			t.Errorf("%d descriptors: %+v leaves nothing for some", all, d)
		}
		if sum := d.agents + d.api + d.glpi + d.metrics + ownDescriptors; all >= 256 && sum > all {
			t.Errorf("%d descriptors: %+v needs %d", all, d, sum)
		}
	}
}

func TestParseLimit(t *testing.T) {
	t.Parallel()
	const header = "Limit                     Soft Limit           Hard Limit           Units     \n"
	for text, want := range map[string]int{
		header + "Max processes             1024                 1024      processes \nMax open files            20000                20000                files     \n": 20000,
		header + "Max open files            unlimited            unlimited            files     \n":                                                                      usualDescriptors,
		header + "Max open files": usualDescriptors,
		"":                        usualDescriptors,
	} {
		if got := parseLimit(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
