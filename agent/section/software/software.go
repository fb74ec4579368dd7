// Package software collects the section "software": what the machine's package managers say is installed. It reads
// their databases and never runs them, changes nothing, and holds no database in memory as a whole.
package software

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// Collector collects the section.
func Collector() section.Collector {
	return section.Collector{Name: "software", Collect: collect}
}

// source is one way to learn what is installed.
type source struct {
	name string // of the items' source, and in errors
	// collect lists what the source knows. errAbsent says that the machine has no such source; any other error
	// that the list is not complete.
	collect func(ctx context.Context, h *host.Host, l *list) error
}

// sources lists all of them, in the order of their items.
func sources() []source {
	return []source{
		{name: "dpkg", collect: collectDpkg},
		{name: "rpm", collect: collectRPM},
		{name: "apk", collect: collectAPK},
	}
}

var errAbsent = errors.New("no such source on this machine")

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	l := newList(readRelease(h))
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
