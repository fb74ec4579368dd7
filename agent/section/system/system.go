// Package system collects the section "system": product, chassis and main board from the SMBIOS
// table or what the platform has instead, and whether the machine is virtual. It never filters
// placeholders; the collector does. Start reading at collect.
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

// Collector returns the collector of the section system.
func Collector() section.Collector {
	return section.Collector{Name: "system", Collect: collect}
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		item, err := fromPlatformExpert(ctx, h)
		return result(item, err)
	}
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

// FromTable returns the machine that the table describes. err is the error from reading the table.
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

// result drops an empty item. On a machine without an SMBIOS table, the other sources describe the
// machine completely, so that error is dropped too.
func result(item *inventoryv1.System, err error) ([]proto.Message, error) {
	if item == nil || proto.Equal(item, &inventoryv1.System{}) {
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
