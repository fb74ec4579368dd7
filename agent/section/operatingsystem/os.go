// Package operatingsystem collects the section "os": the installation that the agent runs in, from
// the release files of the distribution and from the running kernel. It never queries a name server
// and never guesses: a field without a source stays empty. Start reading at sources.
package operatingsystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section os.
func Collector() section.Collector {
	return section.Collector{Name: "os", Collect: collect}
}

// source sets the fields of the item that it knows. Its error does not affect the other sources.
type source func(h *host.Host, os *inventoryv1.OperatingSystem) error

// sources are in order of precedence: a later source keeps what an earlier one has set.
var sources = []source{
	kernel, windows, platform, macRelease, release, names, regional, memory, bootTime, installDate, reboot,
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	item := &inventoryv1.OperatingSystem{}
	var errs []error
	for _, from := range sources {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		if err := from(h, item); err != nil && !absent(err) {
			errs = append(errs, err)
		}
	}
	if proto.Size(item) == 0 {
		errs = append(errs, fmt.Errorf("no file identifies the operating system: %w", fs.ErrNotExist))
		return nil, errors.Join(errs...)
	}
	return []proto.Message{item}, errors.Join(errs...)
}

// absent reports whether a source does not exist, which is not an error: each system has only some
// of them.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, host.ErrUnsupported)
}

// maxText bounds the files read here, in bytes. Most have a few lines; /proc/stat of a large server
// has tens of KiB.
const maxText = 256 << 10

func readText(h *host.Host, name string) (string, error) {
	data, err := h.ReadFile(name, maxText)
	if err != nil {
		return "", err
	}
	return string(data), nil
}

// setIfEmpty keeps the value of an earlier source.
func setIfEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
