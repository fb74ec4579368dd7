// Package system collects the machine itself: what the SMBIOS table says of product, chassis and main board, or
// what the platform has instead, and whether it is virtual. It reports placeholders as they stand: judging them is
// the collector's task.
package system

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector collects the section system.
func Collector() section.Collector {
	return section.Collector{Name: "system", Collect: collect}
}

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	table, err := smbios.Read(h)
	item := fromTable(&table)
	if table.Version == (smbios.Version{}) { // no table
		var fallback error
		item, fallback = fromFiles(h)
		if item.GetManufacturer() != "" || item.GetProductName() != "" {
			err = fallback
		}
	}
	bios, _ := table.BIOS()
	virtualize(h, item, bios.Vendor)
	item.ContainerType = containerType(h)
	return result(item, err)
}

// FromTable gives the machine as the table describes it; err is what came of reading it.
func FromTable(table *smbios.Table, err error) ([]proto.Message, error) {
	item := fromTable(table)
	bios, _ := table.BIOS()
	if v, ok := vendorOf(item, bios.Vendor); ok {
		item.IsVirtual, item.Hypervisor = new(true), v
	}
	return result(item, err)
}

func fromTable(table *smbios.Table) *inventoryv1.System {
	product, _ := table.System()
	board, _ := table.Board()
	chassis, ok := table.Chassis()
	item := &inventoryv1.System{
		Manufacturer:        product.Manufacturer,
		ProductName:         product.ProductName,
		Version:             product.Version,
		SerialNumber:        product.SerialNumber,
		Uuid:                product.UUID,
		SkuNumber:           product.SKUNumber,
		Family:              product.Family,
		AssetTag:            chassis.AssetTag,
		ChassisType:         chassis.Type,
		ChassisManufacturer: chassis.Manufacturer,
		ChassisVersion:      chassis.Version,
		ChassisSerial:       chassis.SerialNumber,
		BoardManufacturer:   board.Manufacturer,
		BoardProduct:        board.Product,
		BoardVersion:        board.Version,
		BoardSerial:         board.SerialNumber,
		BoardAssetTag:       board.AssetTag,
	}
	if ok {
		item.ChassisTypeCode = new(uint32(chassis.TypeCode))
	}
	return item
}

// result drops an item that says nothing. A machine without an SMBIOS table is completely described by what else
// there is.
func result(item *inventoryv1.System, err error) ([]proto.Message, error) {
	if proto.Equal(item, &inventoryv1.System{}) {
		if err == nil {
			err = fmt.Errorf("%w: the SMBIOS table does not describe the system", host.ErrUnsupported)
		}
		return nil, err
	}
	if errors.Is(err, host.ErrUnsupported) {
		err = nil
	}
	return []proto.Message{item}, err
}
