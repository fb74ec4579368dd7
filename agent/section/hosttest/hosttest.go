// Package hosttest builds directory trees that represent a machine in tests, and finds recorded
// files. Only tests import it. Start reading at Tree.
package hosttest

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
)

// Tree returns a host with the given files. A key is an absolute path with slashes; a key that ends
// with a slash makes a directory. A text that begins with "-> " makes a symbolic link to the rest
// of the text.
func Tree(t testing.TB, files map[string]string) *host.Host {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no names with colons, and links need a privilege")
	}
	root := t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(root, filepath.FromSlash(name)), text, strings.HasSuffix(name, "/"))
	}
	h, err := host.Tree(root)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func put(t testing.TB, name, text string, directory bool) {
	t.Helper()
	parent := filepath.Dir(name)
	if directory {
		parent = name
	}
	if err := os.MkdirAll(parent, 0o750); err != nil {
		t.Fatal(err)
	}
	if directory {
		return
	}
	var err error
	if target, link := strings.CutPrefix(text, "-> "); link {
		err = os.Symlink(target, name)
	} else {
		err = os.WriteFile(name, []byte(text), 0o700) //nolint:gosec // scripts are told by being executable
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Registry returns a registry with the given keys and values: string, []string, uint32 and []byte.
func Registry(t testing.TB, keys map[string]map[string]any) *host.RegistryTree {
	t.Helper()
	tree := host.NewRegistryTree()
	for _, path := range slices.Sorted(maps.Keys(keys)) {
		values := map[string]host.RegistryValue{}
		for name, value := range keys[path] {
			switch v := value.(type) {
			case string:
				values[name] = host.TextValue(v)
			case []string:
				list := host.TextValue(strings.Join(v, "\x00") + "\x00")
				values[name] = host.RegistryValue{Type: host.RegMultiText, Data: list.Data}
			case uint32:
				values[name] = host.DWordValue(v)
			case []byte:
				values[name] = host.RegistryValue{Type: host.RegBinary, Data: v}
			default:
				t.Fatalf("%s: value %s of type %T", path, name, value)
			}
		}
		tree.Add(path, values)
	}
	return tree
}

// Windows returns a host that has only a registry.
func Windows(t testing.TB, keys map[string]map[string]any) *host.Host {
	t.Helper()
	h, err := host.Tree(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return h.WithRegistry(Registry(t, keys))
}

// Corpus returns the path of a recorded file. The recordings are next to the checkout; Corpus skips
// the test if they are missing.
func Corpus(t testing.TB, name ...string) string {
	t.Helper()
	return shared(t, append([]string{"corpora"}, name...))
}

// Case returns the host whose files are in a folder of a recorded case: an input that was once read
// wrongly, with the right values. The links of sysfs are recorded as files that contain their
// targets. The cases are next to the checkout; Case skips the test if they are missing.
func Case(t testing.TB, name ...string) *host.Host {
	t.Helper()
	recorded := shared(t, append([]string{"cases"}, name...))
	files := map[string]string{}
	err := filepath.WalkDir(recorded, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(file) //nolint:gosec // a file of the recording
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(file, recorded))
		if strings.HasPrefix(name, "/sys/") && bytes.HasPrefix(text, []byte("../")) {
			text = append([]byte("-> "), bytes.TrimSpace(text)...)
		}
		files[name] = string(text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return Tree(t, files)
}

func shared(t testing.TB, name []string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, name...)...)
	if !exists(path) {
		t.Skipf("the recorded files %s are not beside the checkout", filepath.Join(name...))
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
