// Package storage collects the section "storage": the physical disks of the machine and the virtual
// disks of its hypervisor, from /sys/block and udev's database, and on Windows from its storage
// driver. It never reads from a disk. Start reading at collect.
//
// It does not use ghw's block package, which takes 2.2 ms where this package takes 0.2 ms (it lists
// each disk's partitions and mounts), reports device-mapper and zram devices as disks, and reports
// no model or serial number without udev.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/profiler"
)

// Collector returns the collector of the section storage.
func Collector() section.Collector {
	return section.Collector{Name: "storage", Collect: collect}
}

const sysBlock = "/sys/block/"

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return profiler.Ask(ctx, h, host.DisksProfile, FromProfile)
	}
	if disks, err := ofWindows(h); !errors.Is(err, host.ErrUnsupported) {
		return messages(disks), err
	}
	entries, err := h.ReadDir(sysBlock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no /sys/block: %w", host.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var disks []found
	for _, entry := range entries {
		if ctx.Err() != nil {
			break
		}
		if disk, ok := read(h, entry.Name()); ok {
			disks = append(disks, disk)
		}
	}
	return messages(disks), ctx.Err()
}

func messages(disks []found) []proto.Message {
	disks = name(disks)
	items := make([]proto.Message, len(disks))
	for i, disk := range disks {
		items[i] = disk.Storage
	}
	return items
}
