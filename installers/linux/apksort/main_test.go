package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"testing"
)

// TestSortControl checks that the order of the scripts is no longer visible and the data stays.
func TestSortControl(t *testing.T) {
	t.Parallel()
	var want []byte
	for _, names := range [][]string{
		{".PKGINFO", ".post-install", ".pre-deinstall"}, {".PKGINFO", ".pre-deinstall", ".post-install"},
	} {
		var pack bytes.Buffer
		if err := write(&pack, files(names)); err != nil {
			t.Fatal(err)
		}
		control := pack.Len()
		if err := write(&pack, files([]string{"usr/bin/x"})); err != nil {
			t.Fatal(err)
		}
		got, err := sortControl(pack.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q: another package", names)
		}
		if data := pack.Bytes()[control:]; !bytes.HasSuffix(got, data) {
			t.Errorf("%q: the data changed", names)
		}
		found, err := entries(decompress(t, got))
		if err != nil || !slices.EqualFunc(found, []string{".PKGINFO", ".post-install", ".pre-deinstall"}, named) {
			t.Errorf("%q: got %v, %v", names, found, err)
		}
	}
}

func decompress(t *testing.T, pack []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	reader.Multistream(false)
	control, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return control
}

func named(e entry, name string) bool {
	return e.header.Name == name && string(e.content) == "content of "+name
}

func files(names []string) (list []entry) {
	for _, name := range names {
		content := []byte("content of " + name)
		list = append(list, entry{&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}, content})
	}
	return list
}
