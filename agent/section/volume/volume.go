// Package volume collects the section "volume": the mounted file systems, each once. It writes to
// no device and never requests the size of a file system on a network, because a dead server would
// block the agent. Start reading at collect and choose.
package volume

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

// Collector returns the collector of the section volume.
func Collector() section.Collector {
	return section.Collector{Name: "volume", Collect: collect}
}

// maxTable bounds the mount table, in bytes. A machine that runs containers has thousands of
// mounts.
const maxTable = 8 << 20

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return collectMac(ctx, h)
	}
	if drives, err := h.Volumes(); !errors.Is(err, host.ErrUnsupported) {
		return ofDrives(drives), err
	}
	table, err := h.ReadFile("/proc/self/mountinfo", maxTable)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no mount table: %w", host.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	crypt := ciphers{host: h, known: map[string]string{}}
	var items []proto.Message
	var errs []error
	for _, m := range choose(parseMounts(string(table))) {
		if err := ctx.Err(); err != nil {
			return items, errors.Join(append(errs, err)...)
		}
		if m.isFile(h) {
			continue
		}
		item, err := describe(h, m, crypt)
		if err != nil {
			errs = append(errs, err)
		}
		items = append(items, item)
	}
	return items, errors.Join(errs...)
}

func describe(h *host.Host, m mount, crypt ciphers) (*inventoryv1.Volume, error) {
	item := &inventoryv1.Volume{
		MountPoint: m.point,
		Device:     m.source,
		FsType:     m.fsType,
		IsSystem:   proto.Bool(m.point == "/"),
	}
	if name := m.kernelName(h); name != "" {
		if m.source == "/dev/root" { // the kernel's name of its boot device
			item.Device = "/dev/" + name
		}
		item.Label, item.Uuid = names(h, name)
		item.EncryptionMethod = crypt.method(name)
	}
	return item, measure(h, m, item)
}

// measure leaves the sizes unset if the call could block, and in a tree, where nothing is mounted.
// The total size of a ZFS dataset is omitted: it changes with every write to another dataset, so it
// is not a fact.
func measure(h *host.Host, m mount, item *inventoryv1.Volume) error {
	if m.remote() {
		return nil
	}
	total, free, err := h.FileSystemSize(m.point)
	if errors.Is(err, host.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.fsType != "zfs" {
		item.TotalBytes = proto.Uint64(total)
	}
	item.FreeBytes = proto.Uint64(free)
	return nil
}
