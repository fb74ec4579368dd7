package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const epoch = "1700000000"

// files are the content of the package of the tests. The names of two folders differ in a byte
// below the slash.
var files = map[string]string{
	"a/z/program": strings.Repeat("program", 1000), "a-b/c/settings": "", "a/text": "text\n",
}

// build writes the package and returns its path.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		write("root/"+name, content, 0o644)
	}
	write("scripts/preinstall", "#!/bin/sh\n", 0o755)
	write("scripts/postinstall", "#!/bin/sh\n", 0o755)
	out := filepath.Join(dir, "out.pkg")
	args := []string{filepath.Join(dir, "root"), filepath.Join(dir, "scripts"), "org.example.p", "1.2.3", out}
	if err := run(args, epoch); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLibarchiveReadsPackage reads the archives of the package with an independent program.
func TestLibarchiveReadsPackage(t *testing.T) {
	t.Parallel()
	bsdtar, err := exec.LookPath("bsdtar")
	if err != nil {
		t.Skip("bsdtar is not installed (Debian: libarchive-tools)")
	}
	name := build(t)
	tar := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), bsdtar, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("bsdtar %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if got := tar("-tf", name); got != "Bom\nPackageInfo\nPayload\nScripts\n" {
		t.Errorf("the package contains %q", got)
	}
	dir := t.TempDir()
	tar("-xf", name, "-C", dir)
	tar("-xf", filepath.Join(dir, "Payload"), "-C", dir)
	for file, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", file, len(got), err)
		}
	}
	scripts := tar("-tvf", filepath.Join(dir, "Scripts"))
	if !strings.Contains(scripts, "-rwxr-xr-x") || !strings.Contains(scripts, "./postinstall") {
		t.Errorf("the scripts are\n%s", scripts)
	}
	info, err := os.ReadFile(filepath.Join(dir, "PackageInfo"))
	if err != nil || !strings.Contains(string(info), `identifier="org.example.p" version="1.2.3"`) {
		t.Errorf("%s, %v", info, err)
	}
}

func TestPackageIsReproducible(t *testing.T) {
	t.Parallel()
	first, err := os.ReadFile(build(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(build(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two packages of the same files differ")
	}
}

// TestBom reads the list of files as its readers do: by the name of the tree.
func TestBom(t *testing.T) {
	t.Parallel()
	nodes := []node{
		{path: ".", mode: typeFolder | 0o755}, {path: "opt", mode: typeFolder | 0o755},
		{path: "opt/digits", mode: typeFile | 0o644, content: []byte("123456789")},
	}
	data, err := bom(nodes, 1700000000)
	if err != nil {
		t.Fatal(err)
	}
	got := lsbom(t, data)
	// 930766865 is what cksum(1) prints for these digits.
	want := []string{". 40755 0 0", "./opt 40755 0 0", "./opt/digits 100644 9 930766865"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// bomReader reads a Bom.
type bomReader struct {
	t    *testing.T
	data []byte
}

// lsbom returns a line for each file: path, mode, size, checksum.
func lsbom(t *testing.T, data []byte) (lines []string) {
	t.Helper()
	r := bomReader{t, data}
	var tree bomTree
	r.read(r.block(r.named("Paths")), &tree)
	page := r.block(tree.Node)
	var header bomNode
	r.read(page, &header)
	if string(tree.Magic[:]) != "tree" || header.IsLeaf != 1 || uint32(header.Count) != tree.Count || len(page) != int(tree.BlockSize) {
		t.Fatalf("the tree is %+v, its page %+v", tree, header)
	}
	pairs := make([]bomPair, header.Count)
	r.read(page[binary.Size(header):], pairs)
	paths := map[uint32]string{}
	for _, pair := range pairs {
		var key bomPath
		var metadata bomMetadata
		r.read(r.block(pair.Key), &key)
		r.read(r.block(key.Metadata), &metadata)
		value := r.block(pair.Value)
		name, _, _ := bytes.Cut(value[4:], []byte{0})
		paths[key.ID] = string(name)
		if parent := binary.BigEndian.Uint32(value); parent != 0 {
			paths[key.ID] = paths[parent] + "/" + string(name)
		}
		lines = append(lines, fmt.Sprintf("%s %o %d %d", paths[key.ID], metadata.Mode, metadata.Size, metadata.Checksum))
	}
	return lines
}

func (r bomReader) read(data []byte, value any) {
	r.t.Helper()
	if err := binary.Read(bytes.NewReader(data), binary.BigEndian, value); err != nil {
		r.t.Fatal(err)
	}
}

func (r bomReader) header() (header bomHeader) {
	r.t.Helper()
	r.read(r.data, &header)
	if string(header.Magic[:]) != "BOMStore" {
		r.t.Fatalf("the header is %+v", header)
	}
	return header
}

// block returns the content of a block.
func (r bomReader) block(number uint32) []byte {
	r.t.Helper()
	entry := r.data[r.header().Index.Offset+4+8*number:]
	offset, length := binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[4:])
	return r.data[offset : offset+length]
}

// named returns the number of a block with a name.
func (r bomReader) named(name string) uint32 {
	r.t.Helper()
	vars := r.header().Vars
	rest := r.data[vars.Offset+4 : vars.Offset+vars.Length]
	for len(rest) > 0 {
		length := int(rest[4])
		if string(rest[5:5+length]) == name {
			return binary.BigEndian.Uint32(rest)
		}
		rest = rest[5+length:]
	}
	r.t.Fatalf("no block has the name %s", name)
	return 0
}

func TestManyFilesAreRejected(t *testing.T) {
	t.Parallel()
	nodes := []node{{path: ".", mode: typeFolder | 0o755}}
	for i := range 600 {
		nodes = append(nodes, node{path: fmt.Sprint("f", i), mode: typeFile | 0o644})
	}
	if _, err := bom(nodes, 0); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for name, err := range map[string]error{
		"no arguments": run(nil, epoch),
		"no time":      run([]string{dir, dir, "i", "1", filepath.Join(dir, "out")}, ""),
		"a link":       run([]string{dir, t.TempDir(), "i", "1", filepath.Join(dir, "out")}, epoch),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
