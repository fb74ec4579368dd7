// Command apksort sorts the control segment of an unsigned apk package by name, except that
// .PKGINFO comes first, so that equal content gives equal packages.
//
//	apksort FILE
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "apksort:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("got %d arguments, want FILE", len(args))
	}
	data, err := os.ReadFile(args[0]) //nolint:gosec // the file that the caller names
	if err != nil {
		return err
	}
	sorted, err := sortControl(data)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], sorted, 0o644) //nolint:gosec // a package is public
}

// sortControl returns the package with its first segment sorted. An unsigned apk is two gzip
// streams: the control segment, a tar archive without its end, and the data, whose checksum
// .PKGINFO has.
func sortControl(data []byte) ([]byte, error) {
	in := bufio.NewReader(bytes.NewReader(data)) // gzip reads a bufio.Reader no further than its stream
	compressed, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	compressed.Multistream(false)
	control, err := io.ReadAll(compressed)
	if err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	files, err := entries(control)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b entry) int { return cmp.Compare(a.rank(), b.rank()) })
	var out bytes.Buffer
	if err := write(&out, files); err != nil {
		return nil, err
	}
	return append(out.Bytes(), rest...), nil
}

type entry struct {
	header  *tar.Header
	content []byte
}

func (e entry) rank() string {
	if e.header.Name == ".PKGINFO" {
		return ""
	}
	return e.header.Name
}

// entries reads the archive. The padding of its last file may be absent.
func entries(archive []byte) (files []entry, err error) {
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		files = append(files, entry{header, content})
	}
}

// write writes the files as a compressed archive without an end.
func write(out io.Writer, files []entry) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, file := range files {
		if err := archive.WriteHeader(file.header); err != nil {
			return err
		}
		if _, err := archive.Write(file.content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Flush(), compressed.Close())
}
