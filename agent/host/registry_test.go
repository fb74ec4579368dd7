package host_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	tree := hosttest.Registry(t, map[string]map[string]any{
		`HKLM\Software\A`: {"Text": " x ", "Number": uint32(7), "": "default", "Blob": []byte{1}}, `HKLM\SOFTWARE\B`: {},
	})
	tree.Add(`HKLM\Software\A`, map[string]host.RegistryValue{
		"multi": {Type: host.RegMultiText, Data: []byte("a\x00\x00\x00b\x00\x00\x00")},
		"big":   {Type: host.RegDWordBig, Data: []byte{0, 0, 1, 0}},
		"long":  {Type: host.RegQWord, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0}},
		"short": {Type: host.RegDWord, Data: []byte{1}},
	})
	h := hosttest.Windows(t, nil).WithRegistry(tree)
	key, err := h.RegistryKey(`hklm\software\a`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"text": "x", "NUMBER": "", "": "default", "Multi": "a", "none": "", "blob": ""} {
		if got := key.Text(name); got != want {
			t.Errorf("Text(%s) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]uint64{"Number": 7, "big": 256, "long": 1 << 32, "short": 0, "text": 0} {
		if got, ok := key.Number(name); got != want || ok != (want != 0) {
			t.Errorf("Number(%s) = %d, %v", name, got, ok)
		}
	}
	if got := key.Bytes("BLOB"); !slices.Equal(got, []byte{1}) || key.Bytes("text") != nil {
		t.Errorf("Bytes = %v", got)
	}
	parent, err := h.RegistryKey(`HKLM\Software`)
	if err != nil || !slices.Equal(parent.SubKeys, []string{"B", "A"}) { // in the order of Add
		t.Errorf("subkeys %v, error %v", parent.SubKeys, err)
	}
	if _, err := h.RegistryKey(`HKLM\None`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func TestFileTime(t *testing.T) {
	t.Parallel()
	for ticks, want := range map[uint64]time.Time{
		0: {}, 1: {}, 1<<64 - 1: {},
		133_276_692_300_000_000: time.Date(2023, time.May, 4, 10, 20, 30, 0, time.UTC),
	} {
		if got := host.FileTime(ticks); !got.Equal(want) {
			t.Errorf("FileTime(%d) = %v, want %v", ticks, got.UTC(), want)
		}
	}
}

func FuzzRegistryValue(f *testing.F) {
	f.Add(uint32(host.RegText), []byte("a\x00\x00\x00"))
	f.Add(uint32(host.RegDWord), []byte{1, 2, 3, 4})
	f.Add(uint32(host.RegMultiText), []byte{0, 0xd8, 1})
	f.Fuzz(func(t *testing.T, kind uint32, data []byte) {
		key := host.RegistryKey{Values: map[string]host.RegistryValue{"v": {Type: kind, Data: data}}}
		if text := key.Text("v"); len(text) > 2*len(data) {
			t.Errorf("%d bytes from %d", len(text), len(data))
		}
		if number, ok := key.Number("v"); ok && len(data) != 4 && len(data) != 8 {
			t.Errorf("%d from %d bytes", number, len(data))
		}
		key.Bytes("v")
	})
}

func FuzzFileTime(f *testing.F) {
	f.Add(uint64(133_276_692_300_000_000))
	f.Fuzz(func(t *testing.T, ticks uint64) {
		if at := host.FileTime(ticks); !at.IsZero() && (at.Year() < 1985 || at.Year() > 2100) {
			t.Errorf("%d: %v", ticks, at)
		}
	})
}

// TestRegistryValueInARecording: a value survives a recording, and a secret in it does not.
func TestRegistryValueInARecording(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]host.RegistryValue{
		"text":          host.TextValue(`C:\Ü "x"`),
		"without zero":  {Type: host.RegExpand, Data: []byte("%\x00a\x00")},
		"several":       {Type: host.RegMultiText, Data: []byte("a\x00\x00\x00b\x00\x00\x00\x00\x00")},
		"odd":           {Type: host.RegText, Data: []byte("a\x00b")},
		"surrogate":     {Type: host.RegText, Data: []byte{0, 0xd8}},
		"number":        host.DWordValue(42),
		"binary":        {Type: host.RegBinary, Data: []byte{0, 255}},
		"empty":         {Type: host.RegBinary, Data: []byte{}},
		"unknown type ": {Type: 1 << 31, Data: []byte{1}},
	} {
		text, err := value.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got host.RegistryValue
		if err := got.UnmarshalText(text); err != nil || got.Type != value.Type || !slices.Equal(got.Data, value.Data) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, value)
		}
	}
	var replaced host.RegistryValue
	if err := replaced.UnmarshalText([]byte("xxxx")); err != nil || replaced.Type != host.RegText {
		t.Errorf("a replaced secret: %v, %v", replaced, err)
	}
}

func TestReplayHasTheRegistry(t *testing.T) {
	t.Parallel()
	const path = `HKLM\SOFTWARE\A`
	key := host.RegistryKey{SubKeys: []string{"B"}, Values: map[string]host.RegistryValue{"name": host.TextValue("x")}}
	h, err := host.Replay(hosttest.Recording(t, "windows", nil, []hosttest.Call{{Call: "registry key", Argument: path, Value: key}}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.RegistryKey(path)
	if err != nil || got.Text("Name") != "x" || !slices.Equal(got.SubKeys, key.SubKeys) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := h.RegistryKey(`HKLM\None`); !errors.Is(err, host.ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
}

func FuzzRecordedRegistryValue(f *testing.F) {
	f.Add([]byte("1:text"))
	f.Add([]byte("3=AAE="))
	f.Fuzz(func(t *testing.T, text []byte) {
		var value, again host.RegistryValue
		if value.UnmarshalText(text) != nil {
			return
		}
		text, err := value.MarshalText()
		if err != nil || again.UnmarshalText(text) != nil || again.Type != value.Type || !slices.Equal(again.Data, value.Data) {
			t.Errorf("%v, then %v, error %v", value, again, err)
		}
	})
}
