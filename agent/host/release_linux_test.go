package host

import (
	"slices"
	"testing"
)

func TestCleanMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00b2b000 r-xp 00000000 fe:00 247026                     /usr/bin/muster-agent
Size:               7340 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
0132b000-013b0000 rw-p 00f2b000 fe:00 247026                     /usr/bin/muster-agent
Size:                532 kB
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:          4096 kB
7f0100000000-7f0100003000 r--p 00002000 fe:00 17 /usr/lib/ld-linux-x86-64.so.2
Anonymous:             8 kB
7f0200000000-7f0200001000 r--p 00002000 fe:00 18 /srv/muster agent (deleted)
Anonymous:             0 kB
7ffd198c6000-7ffd198ca000 r--p 00000000 00:00 0                  [vvar]
Anonymous:             0 kB
zz-10 r--p 0 fe:00 1 /a
Anonymous:             0 kB
20-10 r--p 0 fe:00 1 /a
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0x72b000}, {0x7f0200000000, 0x1000}}
	if got := cleanMappings([]byte(smaps)); !slices.Equal(got, want) {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// The process must still be able to run its code after its pages were dropped, also if it is
// dynamically linked, as the test program is with cgo.
func TestDropProgram(t *testing.T) {
	t.Parallel()
	for range 100 {
		dropProgram()
		if _, err := Local().ReadDir("/"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestResident(t *testing.T) {
	t.Parallel()
	if total, files, known := resident(); !known || total < 1<<20 || total > 16<<30 || files >= total {
		t.Errorf("%d bytes, %d of files, %v", total, files, known)
	}
}
