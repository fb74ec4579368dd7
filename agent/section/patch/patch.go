// Package patch collects the section "patch": updates that the system knows by an id of their own.
// It never searches for updates. Start reading at collect.
//
// A Linux distribution has no patches in this sense: an update is a new version of a package, which
// the section software reports. Three things exist beside it, all in small files: patches of the
// running kernel, updates that PackageKit installs at the next start, and packages whose update
// needs a restart. Available updates are left out: to find them means to compare all packages of
// all repositories, which takes longer than the whole inventory.
//
// macOS records its updates in its history of installations, and those that its last search found.
package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section patch.
func Collector() section.Collector {
	return section.Collector{Name: "patch", Collect: collect}
}

const (
	livePatches    = "/sys/kernel/livepatch"
	preparedUpdate = "/var/lib/PackageKit/prepared-update"
	// rebootPackages is written by the maintainer scripts of Debian and Ubuntu.
	rebootPackages = "/run/reboot-required.pkgs"
)

// maxList bounds the lists of packages, in bytes.
const maxList = 1 << 20

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	switch {
	case h.IsWindows():
		return collectWindows(h)
	case h.IsMac():
		return collectMac(h)
	}
	if err := h.RequireLinux(); err != nil {
		return nil, err
	}
	var items []proto.Message
	var errs []error
	absent := 0
	for _, source := range []func(*host.Host) ([]proto.Message, error){kernel, prepared, rebooting} {
		found, err := source(h)
		items = append(items, found...)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			absent++
		case err != nil:
			errs = append(errs, err)
		}
	}
	if absent == 3 {
		return nil, fmt.Errorf("%w: updates are versions of packages, see the section software", host.ErrUnsupported)
	}
	return items, errors.Join(errs...)
}

// kernel lists the patches of the running kernel (Linux, ABI/testing/sysfs-kernel-livepatch).
func kernel(h *host.Host) ([]proto.Message, error) {
	entries, err := h.ReadDir(livePatches)
	var items []proto.Message
	for _, entry := range entries {
		state := "disabled"
		if h.Attribute(livePatches+"/"+entry.Name()+"/enabled") == "1" {
			state = "installed"
		}
		items = append(items, &inventoryv1.Patch{Id: entry.Name(), Source: "livepatch", Kind: "kernel", State: state})
	}
	return items, err
}

// prepared lists the updates that PackageKit has downloaded and installs at the next start.
func prepared(h *host.Host) ([]proto.Message, error) {
	text, err := h.ReadFile(preparedUpdate, maxList)
	return parsePrepared(string(text)), err
}

// parsePrepared reads the line "prepared_ids=name;version;arch;repository,…" or, in files of older
// versions, one such id per line.
func parsePrepared(text string) []proto.Message {
	var items []proto.Message
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		line = strings.TrimPrefix(line, "prepared_ids=")
		for _, id := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == '\t' }) {
			f := strings.Split(id, ";")
			if len(f) == 4 && f[0] != "" {
				items = append(items, &inventoryv1.Patch{
					Id: f[0], Source: "packagekit", Kind: "package", State: "pending", Version: f[1],
				})
			}
		}
	}
	return items
}

// rebooting lists the packages whose new version is used only after a restart.
func rebooting(h *host.Host) ([]proto.Message, error) {
	text, err := h.ReadFile(rebootPackages, maxList)
	names := strings.Fields(string(text)) // a package is listed once per installation
	slices.Sort(names)
	var items []proto.Message
	for _, name := range slices.Compact(names) {
		items = append(items, &inventoryv1.Patch{Id: name, Source: "reboot_required", Kind: "package", State: "reboot"})
	}
	return items, err
}
