package system

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// deviceTree describes machines without SMBIOS, such as most ARM boards (Devicetree Specification
// 0.4 §2.3.1).
const deviceTree = "/proc/device-tree/"

// fromFiles describes the machine without the SMBIOS table. The error names the files that exist
// but cannot be read.
func fromFiles(h *host.Host) (*inventoryv1.System, error) {
	if item := fromRegistry(h); item != nil {
		return item, nil
	}
	item, err := fromDMI(h)
	if proto.Equal(item, &inventoryv1.System{}) {
		item.ProductName = deviceTreeText(h, "model")
		item.SerialNumber = deviceTreeText(h, "serial-number")
	}
	return item, err
}

// fromDMI reads the strings that Linux exposes as files. Every user may read them, except the
// serial numbers.
func fromDMI(h *host.Host) (*inventoryv1.System, error) {
	item := &inventoryv1.System{}
	var failed []error
	read := func(name string) string {
		text, err := h.DMI(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
		return text
	}
	item.Manufacturer, item.ProductName = read("sys_vendor"), read("product_name")
	item.Version, item.SerialNumber = read("product_version"), read("product_serial")
	item.SkuNumber, item.Family = read("product_sku"), read("product_family")
	item.Uuid = smbios.CanonicalUUID(read("product_uuid"))
	item.AssetTag = read("chassis_asset_tag")
	item.ChassisManufacturer, item.ChassisVersion = read("chassis_vendor"), read("chassis_version")
	item.ChassisSerial = read("chassis_serial")
	item.BoardManufacturer, item.BoardProduct = read("board_vendor"), read("board_name")
	item.BoardVersion, item.BoardSerial = read("board_version"), read("board_serial")
	item.BoardAssetTag = read("board_asset_tag")
	if code, err := strconv.ParseUint(read("chassis_type"), 10, 8); err == nil {
		item.ChassisTypeCode = new(uint32(code))
		item.ChassisType = smbios.ChassisType(uint8(code))
	}
	return item, errors.Join(failed...)
}

// deviceTreeText reads a property, whose text ends with a zero byte.
func deviceTreeText(h *host.Host, name string) string {
	return strings.TrimRight(text(h, deviceTree+name), "\x00")
}
