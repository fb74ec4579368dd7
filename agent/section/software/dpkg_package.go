package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dpkgInstalled is the state of an installed package. In the other states a package is removed,
// removed except for its configuration, or in transition (dpkg(1), PACKAGE STATES).
const dpkgInstalled = "installed"

// eachParagraph reads a file. complete reports whether it ends as dpkg ends its status file.
func (d *dpkg) eachParagraph(ctx context.Context, name string, take func(*paragraphs)) (complete bool, err error) {
	f, _, err := openRegular(d.host, name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	p := newParagraphs(f, true, dpkgFields...)
	for {
		more, err := p.next()
		if err != nil {
			return false, fmt.Errorf("read %s: %w", name, err)
		}
		if !more {
			return p.complete, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		take(p)
	}
}

// take adds the package of a paragraph if its state is installed.
func (d *dpkg) take(p *paragraphs, state string) {
	name := p.values[dpkgPackage]
	if len(name) == 0 && p.broken == nil {
		p.fail("no package name")
	}
	if p.broken != nil {
		d.broken.add(p.broken)
	}
	if len(name) == 0 {
		return
	}
	switch state {
	case dpkgInstalled:
		d.list.add("dpkg", purlDeb, d.found(p))
	case "not-installed", "config-files", "":
	default: // half-installed, unpacked, half-configured, triggers-awaited, triggers-pending
		d.unfinished.add(errors.New(text(name) + " is " + text([]byte(state))))
	}
}

func (d *dpkg) found(p *paragraphs) found {
	size, err := strconv.ParseUint(string(p.values[dpkgSize]), 10, 64-10) // in KiB
	return found{
		name:      p.values[dpkgPackage],
		version:   p.values[dpkgVersion],
		arch:      p.values[dpkgArch],
		publisher: p.values[dpkgMaintainer],
		installed: d.installedAt(p),
		sizeBytes: size << 10,
		hasSize:   err == nil,
	}
}

const fileListSuffix = ".list"

// installedAt returns the modification time of the package's file list, which dpkg writes at each
// installation or upgrade. Packages with "Multi-Arch: same" have the architecture in the name of
// the list.
func (d *dpkg) installedAt(p *paragraphs) time.Time {
	name := p.values[dpkgPackage]
	if bytes.IndexByte(name, '/') >= 0 {
		return time.Time{}
	}
	d.path = append(append(append(d.path[:0], dpkgInfo...), '/'), name...)
	if string(p.values[dpkgMultiArch]) == "same" {
		qualified := append(append(append(d.path, ':'), p.values[dpkgArch]...), fileListSuffix...)
		if info, err := d.host.Stat(string(qualified)); err == nil {
			return info.ModTime()
		}
	}
	d.path = append(d.path, fileListSuffix...)
	info, err := d.host.Stat(string(d.path))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// hasFileLists reports whether any package has a file list.
func (d *dpkg) hasFileLists() bool {
	files, err := d.host.ReadDir(dpkgInfo)
	if err != nil {
		return false
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), fileListSuffix) {
			return true
		}
	}
	return false
}

// lastWord returns the state of a status such as "install ok installed": desired action, flag,
// state.
func lastWord(b []byte) string {
	return string(b[bytes.LastIndexAny(b, " \t")+1:])
}
