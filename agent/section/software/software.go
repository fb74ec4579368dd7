// Package software collects the section "software": the packages that the machine's package
// managers have installed, the programs that the registry of Windows lists, and those that people
// have installed for themselves. It reads databases and directories. It never runs a package
// manager, changes nothing, and never holds a whole database in memory. Start reading at sources.
package software

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// Collector returns the collector of the section software. It keeps the packages of a database
// between its runs, so that a database that has not changed is read only once.
func Collector() section.Collector {
	databases := map[string]kept{}
	return section.Collector{
		Name: "software",
		Collect: func(ctx context.Context, h *host.Host) ([]proto.Message, error) {
			l := newList(readRelease(h))
			l.kept = databases
			return collect(ctx, h, l)
		},
	}
}

// source is a package manager, or the homes of people.
type source struct {
	name string // used in errors
	// collect adds the source's packages to the list. It returns errAbsent if the machine has no
	// such source. Any other error means that the list is incomplete.
	collect func(ctx context.Context, h *host.Host, l *list) error
}

// sources returns all sources in the order of their items.
func sources() []source {
	return []source{
		{name: "dpkg", collect: collectDpkg},
		{name: "rpm", collect: collectRPM},
		{name: "apk", collect: collectAPK},
		{name: "pacman", collect: collectPacman},
		{name: "snap", collect: collectSnap},
		{name: "flatpak", collect: collectFlatpak},
		{name: "appimage", collect: collectAppImages},
		{name: "homes", collect: collectHomes},
		{name: "app_bundle", collect: collectBundles},
		{name: "pkg_receipt", collect: collectReceipts},
		{name: "homebrew", collect: collectHomebrew},
		{name: "registry", collect: collectUninstall},
		{name: "msix", collect: collectAppx},
	}
}

var errAbsent = errors.New("no such source on this machine")

func collect(ctx context.Context, h *host.Host, l *list) ([]proto.Message, error) {
	absent, errs := 0, []error(nil)
	for _, s := range sources() {
		switch err := s.collect(ctx, h, l); {
		case errors.Is(err, errAbsent):
			absent++
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	if absent == len(sources()) {
		return nil, fmt.Errorf("no package database found: %w", host.ErrUnsupported)
	}
	return l.items, errors.Join(errs...)
}
