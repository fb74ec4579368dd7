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

// The files of dpkg's database (dpkg(1), section FILES). Distroless images have a file per package in status.d
// instead of status.
const (
	dpkgStatus  = "/var/lib/dpkg/status"
	dpkgParts   = "/var/lib/dpkg/status.d"
	dpkgUpdates = "/var/lib/dpkg/updates"
	dpkgInfo    = "/var/lib/dpkg/info"
)

// The fields that are read of a paragraph, and their places.
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

// dpkg reads the database once.
type dpkg struct {
	host       *host.Host
	list       *list
	updated    map[string]bool // packages whose state in the updates counts, by dpkgKey
	packages   int             // paragraphs in status
	broken     damage
	unfinished damage
	path       []byte
}

// collectDpkg lists the packages whose state is "installed": what `dpkg-query -W` lists without those that were
// removed but for their configuration. A package half-way through its installation, upgrade or removal is neither
// installed nor gone, so with one of those the list is not complete.
func collectDpkg(ctx context.Context, h *host.Host, l *list) error {
	if !exists(h, dpkgStatus) && !exists(h, dpkgParts) {
		return errAbsent
	}
	return l.steady(h, []string{dpkgStatus, dpkgParts}, func() error {
		d := &dpkg{host: h, list: l}
		return d.read(ctx)
	})
}

// read reads the updates before the status: dpkg merges them into the status before it deletes them.
func (d *dpkg) read(ctx context.Context) error {
	return errors.Join(
		d.readUpdates(ctx),
		d.readStatus(ctx),
		d.readParts(ctx),
		d.broken.err("broken paragraphs"),
		d.unfinished.err("packages not wholly installed or removed"),
	)
}

// readUpdates reads the states that a running dpkg, or one that was killed, has noted beside the status: files with
// numbers for names, of which the last one about a package counts.
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

// dpkgKey tells the packages of one name apart that are installed for several architectures.
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
		return errors.New("status is empty, though packages have file lists")
	}
	return nil
}

// readParts reads the packages of a distroless image, which have no state: they are installed.
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
