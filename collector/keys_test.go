package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMasterKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "master.key")
	if _, err := masterKey(file, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: got %v, want that there is none", err)
	}
	made, err := masterKey(file, true)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := masterKey(file, true); err != nil || read != made {
		t.Errorf("the key was %x and is %x: %v", made, read, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}

func TestMasterKeyIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {strings.Repeat("0", 64), 0o644, "chmod 600"},
		"too short":          {"00", 0o600, "want 32 bytes"},
		"not hexadecimal":    {strings.Repeat("x", 64), 0o600, "want 32 bytes"},
	} {
		file := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := masterKey(file, true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
