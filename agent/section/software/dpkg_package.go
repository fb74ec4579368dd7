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

// The states of dpkg(1), PACKAGE STATES. In the states from unpacked to installed the files of the
// package's version are on the disk. A package can stay unconfigured for months if its script
// fails.
const (
	dpkgInstalled       = "installed"
	dpkgNotInstalled    = "not-installed"
	dpkgConfigFiles     = "config-files"
	dpkgUnpacked        = "unpacked"
	dpkgHalfConfigured  = "half-configured"
	dpkgTriggersAwaited = "triggers-awaited"
	dpkgTriggersPending = "triggers-pending"
)

// eachParagraph reads a file. complete reports whether it ends as dpkg ends its status file.
func (d *dpkg) eachParagraph(ctx context.Context, name string, take func(*paragraphs)) (complete bool, err error) {
	f, _, err := d.host.OpenRegular(name)
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

// take adds the package of a paragraph if its files are installed.
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
	case dpkgUnpacked, dpkgHalfConfigured, dpkgTriggersAwaited, dpkgTriggersPending:
		found := d.found(p)
		found.state = state
		d.list.add("dpkg", purlDeb, found)
	case dpkgNotInstalled, dpkgConfigFiles, "":
	default: // half-installed: some of the files are on the disk
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
