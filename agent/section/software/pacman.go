package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/musterhq/muster/agent/host"
)

// pacmanLocal has a directory per installed package, with a file "desc" (alpm local database).
const pacmanLocal = "/var/lib/pacman/local"

// maxDesc bounds a desc file, in bytes; a typical one has 1,500.
const maxDesc = 256 << 10

// unknownPackager is what makepkg writes if the builder has not set a name (makepkg.conf(5)).
const unknownPackager = "Unknown Packager"

// collectPacman adds pacman's packages.
func collectPacman(ctx context.Context, h *host.Host, l *list) error {
	if !exists(h, pacmanLocal) {
		return errAbsent
	}
	return l.readStable(h, []string{pacmanLocal}, func() error { return readPacman(ctx, h, l) })
}

func readPacman(ctx context.Context, h *host.Host, l *list) error {
	entries, err := h.ReadDir(pacmanLocal)
	if err != nil {
		return err
	}
	var broken damage
	buf := make([]byte, maxDesc)
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if entry.Type().IsRegular() { // ALPM_DB_VERSION
			continue
		}
		data, err := h.ReadInto(pacmanLocal+"/"+entry.Name()+"/desc", buf)
		if errors.Is(err, fs.ErrNotExist) { // the directory is being made or removed
			err = errors.New("no desc")
		}
		if err == nil && !takePacman(l, data) {
			err = errors.New("no package name")
		}
		if err != nil {
			broken.add(fmt.Errorf("%s: %w", text([]byte(entry.Name())), err))
		}
	}
	return broken.err("unreadable packages")
}

// takePacman reads lines "%NAME%", each followed by the lines of its value and an empty line. It
// reports whether there is a name.
func takePacman(l *list, data []byte) bool {
	var p found
	var field []byte
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) > 2 && line[0] == '%' && line[len(line)-1] == '%' {
			field = line
			continue
		}
		if len(line) == 0 || field == nil {
			continue
		}
		switch string(field) {
		case "%NAME%":
			p.name = line
		case "%VERSION%":
			p.version = line
		case "%ARCH%":
			p.arch = line
		case "%PACKAGER%":
			if string(line) != unknownPackager {
				p.publisher = line
			}
		case "%SIZE%":
			size, err := strconv.ParseUint(string(line), 10, 64)
			p.sizeBytes, p.hasSize = size, err == nil
		case "%INSTALLDATE%":
			if seconds, err := strconv.ParseInt(string(line), 10, 33); err == nil && seconds > 0 {
				p.installed = time.Unix(seconds, 0)
			}
		}
		field = nil // only the first line of a value
	}
	if len(p.name) == 0 {
		return false
	}
	l.add("pacman", purlALPM, p)
	return true
}
