package software

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/musterhq/muster/agent/host"
)

// apkDatabases are the paths of apk's database, the newer one first. apkWorld is the list of
// requested packages (apk-world(5)).
var apkDatabases = []string{"/usr/lib/apk/db/installed", "/lib/apk/db/installed"}

const apkWorld = "/etc/apk/world"

// Indexes in apkFields of the fields that are read (apk-package(5)).
const (
	apkName = iota
	apkVersion
	apkArch
	apkSize
	apkMaintainer
)

var apkFields = []string{"P", "V", "A", "I", "m"}

// collectAPK adds apk's packages. The database has no installation dates.
func collectAPK(ctx context.Context, h *host.Host, l *list) error {
	for _, name := range apkDatabases {
		if exists(h, name) {
			return l.readUnlessKept(h, []string{name}, func() error { return readAPK(ctx, h, l, name) })
		}
	}
	return errAbsent
}

func readAPK(ctx context.Context, h *host.Host, l *list, name string) error {
	f, size, err := h.OpenRegular(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var broken damage
	p := newParagraphs(f, false, apkFields...)
	for {
		more, err := p.next()
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if !more {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		takeAPK(l, p, &broken)
	}
	switch {
	case size == 0 && wantsPackages(h):
		err = errors.New("installed is empty although packages are requested")
	case !p.complete:
		err = errors.New("installed ends within a paragraph")
	}
	return errors.Join(err, broken.err("broken paragraphs"))
}

func takeAPK(l *list, p *paragraphs, broken *damage) {
	name := p.values[apkName]
	if len(name) == 0 && p.broken == nil {
		p.fail("no package name")
	}
	if p.broken != nil {
		broken.add(p.broken)
	}
	if len(name) == 0 {
		return
	}
	size, err := strconv.ParseUint(string(p.values[apkSize]), 10, 64)
	l.add("apk", purlAPK, found{
		name:      name,
		version:   p.values[apkVersion],
		arch:      p.values[apkArch],
		publisher: p.values[apkMaintainer],
		sizeBytes: size,
		hasSize:   err == nil,
	})
}

func wantsPackages(h *host.Host) bool {
	info, err := h.Stat(apkWorld)
	return err == nil && info.Size() > 0
}
