// Package firmware collects the BIOS data of the SMBIOS table and what the kernel reports about
// UEFI, secure boot and the TPM. It reads UEFI variables and never writes them. Start reading at
// collect.
package firmware

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section firmware.
func Collector() section.Collector {
	return section.Collector{Name: "firmware", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return profiler.Ask(ctx, h, host.FirmwareProfile, FromProfile)
	}
	table, err := smbios.Read(h)
	item := fromTable(&table)
	if table.Version == (smbios.Version{}) { // no table
		var fallback error
		if item, fallback = fromDMI(h); described(item) {
			err = fallback
		}
	}
	readMode(h, item)
	readTPM(h, item)
	fromWindows(h, item)
	return result(item, err)
}

// FromTable returns the firmware that the table describes. err is the error from reading the table.
func FromTable(table *smbios.Table, err error) ([]proto.Message, error) {
	return result(fromTable(table), err)
}

func fromTable(table *smbios.Table) *inventoryv1.Firmware {
	bios, _ := table.BIOS()
	return &inventoryv1.Firmware{
		Vendor:      bios.Vendor,
		Version:     bios.Version,
		ReleaseDate: bios.ReleaseDate,
		Revision:    bios.Release,
	}
}

// fromDMI reads the strings that Linux exposes as files, which every user may read.
func fromDMI(h *host.Host) (*inventoryv1.Firmware, error) {
	item := &inventoryv1.Firmware{}
	var failed []error
	for _, source := range []struct {
		name  string
		field *string
	}{
		{"bios_vendor", &item.Vendor},
		{"bios_version", &item.Version},
		{"bios_date", &item.ReleaseDate},
		{"bios_release", &item.Revision},
	} {
		text, err := h.DMI(source.name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
		*source.field = text
	}
	return item, errors.Join(failed...)
}

func described(item *inventoryv1.Firmware) bool {
	return item.GetVendor() != "" || item.GetVersion() != "" || item.GetReleaseDate() != ""
}

// result drops an empty item. On a machine without an SMBIOS table, the other sources describe the
// firmware completely, so that error is dropped too.
func result(item *inventoryv1.Firmware, err error) ([]proto.Message, error) {
	if proto.Equal(item, &inventoryv1.Firmware{}) {
		if err == nil {
			err = fmt.Errorf("%w: the SMBIOS table does not describe the firmware", host.ErrUnsupported)
		}
		return nil, err
	}
	if errors.Is(err, host.ErrUnsupported) {
		err = nil
	}
	return []proto.Message{item}, err
}
