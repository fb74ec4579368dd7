package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// appImageDirectories are where administrators put AppImages for all users.
var appImageDirectories = []string{"/opt", "/opt/appimages", "/opt/AppImages", "/usr/local/bin", "/Applications"}

const appImageSuffix = ".appimage"

// maxAppImages bounds the AppImages of one directory.
const maxAppImages = 256

// collectAppImages adds the AppImages. An AppImage is one file that nothing registers, so only the
// name of the file is known: its version is in a compressed file system.
func collectAppImages(ctx context.Context, h *host.Host, l *list) error {
	start := len(l.items)
	var errs []error
	for _, directory := range appImageDirectories {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := h.ReadDir(directory)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		number := 0
		for _, entry := range entries {
			name := entry.Name()
			if !isAppImageName(name) || !entry.Type().IsRegular() || !isAppImage(h, directory+"/"+name) {
				continue
			}
			if number++; number > maxAppImages {
				errs = append(errs, fmt.Errorf("more than %d files in %s", maxAppImages, directory))
				break
			}
			takeAppImage(l, entry, directory)
		}
	}
	if len(l.items) == start && len(errs) == 0 {
		return errAbsent
	}
	return errors.Join(errs...)
}

func isAppImageName(name string) bool {
	n := len(name) - len(appImageSuffix)
	return n > 0 && strings.EqualFold(name[n:], appImageSuffix)
}

// isAppImage checks the magic numbers of ELF, at the beginning, and of AppImages of type 1 and 2,
// at offset 8 (AppImage specification, "Image format").
func isAppImage(h *host.Host, name string) bool {
	var header [11]byte
	f, size, err := h.OpenRegular(name)
	if err != nil || size < int64(len(header)) {
		return false
	}
	defer func() { _ = f.Close() }()
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return false
	}
	return bytes.HasPrefix(header[:], []byte("\x7fELF")) &&
		(bytes.HasSuffix(header[:], []byte("AI\x01")) || bytes.HasSuffix(header[:], []byte("AI\x02")))
}

// takeAppImage adds an AppImage. directory is "" if its name contains that of a person.
func takeAppImage(l *list, entry fs.DirEntry, directory string) {
	name := entry.Name()
	p := found{name: []byte(name[:len(name)-len(appImageSuffix)])}
	if directory != "" {
		p.location = directory + "/" + name
	}
	if info, err := entry.Info(); err == nil {
		p.sizeBytes, p.hasSize = uint64(max(0, info.Size())), true
	}
	l.add("appimage", purlNone, p)
}
