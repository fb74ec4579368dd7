package software

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// The files of dpkg's database (dpkg(1), section FILES). Distroless images have a file per package
// in status.d instead of status.
const (
	dpkgStatus  = "/var/lib/dpkg/status"
	dpkgParts   = "/var/lib/dpkg/status.d"
	dpkgUpdates = "/var/lib/dpkg/updates"
	dpkgInfo    = "/var/lib/dpkg/info"
)

// Indexes in dpkgFields of the fields that are read.
const (
	dpkgPackage = iota
	dpkgState
	dpkgVersion
	dpkgArch
	dpkgMultiArch
	dpkgMaintainer
	dpkgSize
)

var dpkgFields = []string{"Package", "Status", "Version", "Architecture", "Multi-Arch", "Maintainer", "Installed-Size"}

// dpkg is the state of one reading of the database.
type dpkg struct {
	host       *host.Host
	list       *list
	updated    map[string]bool // packages whose state is in the updates, by dpkgKey
	packages   int             // paragraphs in status
	broken     damage
	unfinished damage
	path       []byte
}

// collectDpkg adds the packages that `dpkg-query -W` lists, without removed packages that left
// configuration files. A half-installed package makes the section partial, because it is neither
// installed nor removed.
func collectDpkg(ctx context.Context, h *host.Host, l *list) error {
	if !exists(h, dpkgStatus) && !exists(h, dpkgParts) {
		return errAbsent
	}
	read := func() error {
		d := &dpkg{host: h, list: l}
		return d.read(ctx)
	}
	if exists(h, dpkgParts) {
		return l.readStable(h, []string{dpkgStatus, dpkgParts}, read)
	}
	// dpkg replaces the files in its directories; it never writes into one.
	return l.readUnlessKept(h, []string{dpkgStatus, dpkgUpdates, dpkgInfo}, read)
}

// read reads the updates before the status, because dpkg merges them into the status before it
// deletes them.
func (d *dpkg) read(ctx context.Context) error {
	return errors.Join(
		d.readUpdates(ctx),
		d.readStatus(ctx),
		d.readParts(ctx),
		d.broken.err("broken paragraphs"),
		d.unfinished.err("packages partly installed or removed"),
	)
}

// readUpdates reads the states that a running or interrupted dpkg has written next to the status.
// The files have numbers as names; for each package the last file counts.
func (d *dpkg) readUpdates(ctx context.Context) error {
	files, err := d.host.ReadDir(dpkgUpdates)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range slices.Backward(files) {
		if _, err := strconv.ParseUint(file.Name(), 10, 64); err != nil {
			continue
		}
		if d.updated == nil {
			d.updated = map[string]bool{}
		}
		_, err := d.eachParagraph(ctx, dpkgUpdates+"/"+file.Name(), func(p *paragraphs) {
			if key := dpkgKey(p); !d.updated[key] {
				d.take(p, lastWord(p.values[dpkgState]))
				d.updated[key] = true
			}
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// dpkgKey distinguishes packages of one name that are installed for several architectures.
func dpkgKey(p *paragraphs) string {
	return string(p.values[dpkgPackage]) + ":" + string(p.values[dpkgArch])
}

func (d *dpkg) readStatus(ctx context.Context) error {
	if !exists(d.host, dpkgStatus) {
		return nil
	}
	complete, err := d.eachParagraph(ctx, dpkgStatus, func(p *paragraphs) {
		d.packages++
		if d.updated == nil || !d.updated[dpkgKey(p)] {
			d.take(p, lastWord(p.values[dpkgState]))
		}
	})
	switch {
	case err != nil:
		return err
	case !complete:
		return errors.New("status ends within a paragraph")
	case d.packages == 0 && d.hasFileLists():
		return errors.New("status is empty although packages have file lists")
	}
	return nil
}

// readParts reads the packages of a distroless image. They have no state and count as installed.
func (d *dpkg) readParts(ctx context.Context) error {
	files, err := d.host.ReadDir(dpkgParts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".md5sums") {
			continue
		}
		_, err := d.eachParagraph(ctx, dpkgParts+"/"+file.Name(), func(p *paragraphs) {
			state := lastWord(p.values[dpkgState])
			if state == "" {
				state = dpkgInstalled
			}
			d.take(p, state)
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
