package rpmdb

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tag is one entry of a header that a test makes.
type tag struct {
	tag, kind uint32
	value     string
}

func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func makeHeader(tags ...tag) []byte {
	var index, data []byte
	for _, t := range tags {
		for _, n := range []uint32{t.tag, t.kind, uint32(len(data)), 1} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(data, t.value...)
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	header = binary.BigEndian.AppendUint32(header, uint32(len(data)))
	return append(append(header, index...), data...)
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	name := tag{tagName, typeString, "bash\x00"}
	tests := []struct {
		name   string
		header []byte
		want   Package
		evr    string
	}{
		{
			name: "everything",
			header: makeHeader(name, tag{tagVersion, typeString, "5.2\x00"}, tag{tagRelease, typeString, "1.el9\x00"}, tag{tagEpoch, typeInt32, number(2)},
				tag{tagArch, typeString, "x86_64\x00"}, tag{tagVendor, typeString, "Rocky\x00"}, tag{tagSize, typeInt32, number(4_000_000_000)},
				tag{tagInstallTime, typeInt32, number(1_700_000_000)}),
			want: Package{
				Name: []byte("bash"), Version: []byte("5.2"), Release: []byte("1.el9"), Arch: []byte("x86_64"), Vendor: []byte("Rocky"),
				Epoch: 2, HasEpoch: true, SizeBytes: 4_000_000_000, HasSize: true, InstallTime: 1_700_000_000,
			},
			evr: "2:5.2-1.el9",
		},
		{
			name:   "an epoch of 0 that is written out is printed, as rpm prints it",
			header: makeHeader(name, tag{tagVersion, typeString, "1\x00"}, tag{tagRelease, typeString, "1\x00"}, tag{tagEpoch, typeInt32, number(0)}),
			want:   Package{Name: []byte("bash"), Version: []byte("1"), Release: []byte("1"), HasEpoch: true},
			evr:    "0:1-1",
		},
		{
			name:   "more than 4 GB",
			header: makeHeader(name, tag{tagLongSize, typeInt64, number(2) + number(0)}),
			want:   Package{Name: []byte("bash"), SizeBytes: 2 << 32, HasSize: true},
		},
		{
			name:   "what was added at installation hides what came with the package",
			header: makeHeader(tag{tagArch, typeString, "i386\x00"}, name, tag{tagArch, typeString, "i686\x00"}),
			want:   Package{Name: []byte("bash"), Arch: []byte("i686")},
		},
		{
			name: "values of the wrong type, outside of the data, without an end, or none are absent",
			header: makeHeader(name, tag{tagVersion, typeInt32, number(1)}, tag{tagEpoch, typeString, "1\x00"}, tag{tagArch, typeString, "(none)\x00"},
				tag{tagSize, typeString, number(1)}, tag{tagVendor, typeString, "no end"}),
			want: Package{Name: []byte("bash")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseHeader(test.header)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if evr := string(got.AppendEVR(nil)); evr != test.evr {
				t.Errorf("EVR = %q, want %q", evr, test.evr)
			}
		})
	}
}

func TestParseHeaderCutOff(t *testing.T) {
	t.Parallel()
	whole := makeHeader(tag{tagName, typeString, "bash\x00"}, tag{tagVersion, typeString, "1\x00"})
	for end := range whole {
		if p, err := ParseHeader(whole[:end]); !errors.Is(err, ErrFormat) {
			t.Errorf("%d bytes: %+v, %v", end, p, err)
		}
	}
	if _, err := ParseHeader(makeHeader(tag{tagVersion, typeString, "1\x00"})); !errors.Is(err, ErrFormat) {
		t.Errorf("header without a name: %v", err)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(makeHeader(tag{tagName, typeString, "bash\x00"}, tag{tagEpoch, typeInt32, number(1)}))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseHeader(data)
		if (err == nil) != (len(p.Name) > 0) {
			t.Errorf("name %q, error %v", p.Name, err)
		}
	})
}
