package cpu

import (
	"encoding/binary"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/section/hosttest"
)

// relation builds a SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX.
func relation(kind uint32, masks ...affinity) []byte {
	data := make([]byte, 32, 64)
	binary.LittleEndian.PutUint32(data, kind)
	binary.LittleEndian.PutUint16(data[30:], uint16(len(masks)))
	for _, m := range masks {
		data = binary.LittleEndian.AppendUint64(data, m.mask)
		data = binary.LittleEndian.AppendUint64(data, uint64(m.group))
	}
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)))
	return data
}

func TestParseTopology(t *testing.T) {
	t.Parallel()
	var data []byte
	for _, part := range [][]byte{
		relation(relationCore, affinity{0, 0b0011}), relation(relationCore, affinity{0, 0b0100}), relation(relationCore, affinity{0, 0b1000}),
		relation(2, affinity{0, 0b1111}), // a cache
		relation(relationPackage, affinity{0, 0b0111}), relation(relationPackage, affinity{0, 0b1000}, affinity{1, 0b11}),
		relation(relationCore, affinity{1, 0b11}), relation(relationPackage, affinity{2, 1}), relation(relationCore, affinity{2, 1}),
	} {
		data = append(data, part...)
	}
	want := []layout{{first: 0, cores: 2, threads: 3}, {first: 3, cores: 2, threads: 3}, {first: 6, cores: 1, threads: 1}}
	if diff := gocmp.Diff(want, parseTopology(data), gocmp.AllowUnexported(layout{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := parseTopology(data[:len(data)-40]); len(got) != 3 {
		t.Errorf("%d packages of a cut list", len(got))
	}
}

func TestWindowsRegistry(t *testing.T) {
	t.Parallel()
	file := hosttest.Corpus(t, "glpi-agent", "resources", "win32", "registry", "2008-with-2-different-cpus-CentralProcessor.reg")
	packages, err := readPackages(hosttest.Windows(t, nil).WithRegistry(hosttest.RegFiles(t, file)))
	if err != nil || len(packages) != 1 {
		t.Fatalf("%d packages, error %v", len(packages), err)
	}
	want := processorPackage{
		vendor: "GenuineIntel", model: "Intel(R) Xeon(R) CPU           E5506  @ 2.13GHz", microcode: "0x19", currentMHz: 2000,
	}
	if packages[0] != want {
		t.Errorf("got %+v, want %+v", packages[0], want)
	}
}

func FuzzTopology(f *testing.F) {
	f.Add(append(relation(relationCore, affinity{0, 3}), relation(relationPackage, affinity{0, 3}, affinity{1, 1})...))
	f.Fuzz(func(_ *testing.T, data []byte) { parseTopology(data) })
}
