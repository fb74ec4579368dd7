package main

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// node is a folder or a regular file. The first node of a tree is its root, with the path ".".
type node struct {
	path    string // with slashes, below the root
	mode    uint16 // of stat(2), with the type
	content []byte // nil for folders
}

// The types of mode.
const (
	typeFolder = 0o040000
	typeFile   = 0o100000
)

func (n node) isFolder() bool { return n.mode&typeFolder != 0 }

// readTree reads all files of a folder. A folder comes before its content, and all of one depth
// before those that are deeper, each sorted by path: the order of a Bom.
func readTree(dir string) ([]node, error) {
	files, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = files.Close() }()
	var nodes []node
	err = fs.WalkDir(files.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		n := node{path: name, mode: uint16(info.Mode().Perm())} //nolint:gosec // nine bits
		switch {
		case info.IsDir():
			n.mode |= typeFolder
		case info.Mode().IsRegular():
			n.mode |= typeFile
			n.content, err = files.ReadFile(name)
		default:
			err = fmt.Errorf("%s: neither a folder nor a regular file", name)
		}
		nodes = append(nodes, n)
		return err
	})
	slices.SortStableFunc(nodes, func(a, b node) int { return compareDepth(a.path, b.path) })
	return nodes, err
}

func compareDepth(a, b string) int {
	left, right := elements(a), elements(b)
	if by := len(left) - len(right); by != 0 {
		return by
	}
	return slices.Compare(left, right)
}

func elements(name string) []string {
	if name == "." {
		return nil
	}
	return strings.Split(name, "/")
}
