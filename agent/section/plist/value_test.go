package plist

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	t.Parallel()
	data := []byte(`<?xml version="1.0"?><plist version="1.0"><dict>
<key>on</key><true/><key>off</key><integer>0</integer><key>many</key><integer>7</integer><key>group</key><dict><key>on</key><true/></dict>
<key>text</key><string>yes</string></dict></plist>`)
	flags, texts := map[string]Flag{}, map[string]Text{}
	if err := Unmarshal(data, &flags); err != nil {
		t.Fatal(err)
	}
	if err := Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	want := map[string]Flag{"on": {true, true}, "off": {false, true}, "many": {}, "group": {}, "text": {}}
	if diff := cmp.Diff(want, flags); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	wantTexts := map[string]Text{"on": "", "off": "", "many": "", "group": "", "text": "yes"}
	if diff := cmp.Diff(wantTexts, texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}
