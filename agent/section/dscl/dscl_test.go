package dscl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><array>
<dict><key>dsAttrTypeStandard:RecordName</key><array><string>ann</string><string>Ann A.</string></array>
<key>dsAttrTypeStandard:UniqueID</key><array><string>501</string></array>
<key>dsAttrTypeStandard:RealName</key><array><string>
 Ann Ames</string></array></dict>
<dict><key>dsAttrTypeStandard:RecordName</key><array/></dict>
<dict><key>dsAttrTypeStandard:RecordName</key><array><string>nobody</string></array>
<key>dsAttrTypeStandard:UniqueID</key><string>-2</string></dict>
</array></plist>`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Name: {"ann", "Ann A."}, UserID: {"501"}, FullName: {"Ann Ames"}},
		{Name: {"nobody"}, UserID: nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if _, err := Parse([]byte("RecordName: ann")); err == nil {
		t.Error("a text has no error")
	}
}

func TestIsMadeByPeople(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"0": false, "80": false, "499": false, "501": true, "1873912645": true, "-2": false, "4294967294": false, "": false,
	} {
		if got := IsMadeByPeople(id); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(_ *testing.T, data []byte) {
		records, _ := Parse(data)
		for _, r := range records {
			IsMadeByPeople(r.First(UserID))
		}
	})
}
