// Package operatingsystem collects the section "os": the installation that the agent runs in, from the files in
// which a distribution names itself and from the running kernel. It asks no name server and guesses nothing: what
// no source says stays empty.
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

// Collector collects the operating system.
func Collector() section.Collector {
	return section.Collector{Name: "os", Collect: collect}
}

// source fills the fields of the item that it knows. Its error spoils nothing but itself.
type source func(h *host.Host, os *inventoryv1.OperatingSystem) error

// sources stand in the order of their authority: a later one leaves alone what an earlier one has said.
var sources = []source{kernel, platform, release, names, place, memory, bootTime, installDate}

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
		errs = append(errs, fmt.Errorf("no file names the operating system: %w", fs.ErrNotExist))
		return nil, errors.Join(errs...)
	}
	return []proto.Message{item}, errors.Join(errs...)
}

// absent reports whether a source is simply not there, which is no failure: each system has only some of them.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, host.ErrUnsupported)
}

// maxText bounds the files read here; all of them are a few lines, /proc/stat of a large server some ten KiB.
const maxText = 256 << 10

func readText(h *host.Host, name string) (string, error) {
	data, err := h.ReadFile(name, maxText)
	if err != nil {
		return "", err
	}
	return string(data), nil
}

// setIfEmpty keeps what an earlier source has said.
func setIfEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
