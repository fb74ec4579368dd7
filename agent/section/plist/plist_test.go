package plist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/section/hosttest"
)

type bundle struct {
	Name    string `plist:"CFBundleName"`
	Version string `plist:"CFBundleShortVersionString"`
}

const example = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>CFBundleName</key><string>Example</string><key>CFBundleShortVersionString</key>
<string>1.2</string><key>Other</key><array><integer>1</integer></array></dict></plist>`

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"XML":  example,
		"text": `{ CFBundleName = Example; CFBundleShortVersionString = "1.2"; }`,
	} {
		var got bundle
		if err := Unmarshal([]byte(data), &got); err != nil || got != (bundle{"Example", "1.2"}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestDeepListsAreRejected(t *testing.T) {
	t.Parallel()
	const levels = 1_000_000
	for name, data := range map[string]string{
		"XML":    "<plist>" + strings.Repeat("<array>", levels),
		"text":   strings.Repeat("(", levels),
		"binary": "bplist00" + strings.Repeat("\xA1", levels),
	} {
		var got bundle
		if err := Unmarshal([]byte(data), &got); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{ CFBundleName = "a"; List = ( 1, 2 ); }`))
	names, err := filepath.Glob(filepath.Join(hosttest.Corpus(f, "packages", "macapps", "scalibr"), "*.plist"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no lists: %v", err)
	}
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var into struct {
			Name  string   `plist:"CFBundleName"`
			Lists []bundle `plist:"Lists"`
			Other *bundle  `plist:"Other"`
			Texts []string `plist:"Texts"`
			Real  float64  `plist:"Real"`
		}
		_ = Unmarshal(data, &into)
	})
}
