package storage

import (
	"path"
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// identify sets vendor, model and identifiers: from the disk's own pages if the kernel exposes
// them, then from the kernel's short attributes, then from udev's database.
func (s source) identify(disk *inventoryv1.Storage) {
	s.fromATA(disk)
	set(&disk.Model, s.attribute("device/model"))
	set(&disk.Model, s.mmc("name"))
	set(&disk.FirmwareRevision, s.attribute("device/firmware_rev"), s.attribute("device/rev"), s.mmc("fwrev"))
	set(&disk.Vendor, vendor(s.attribute("device/vendor")))
	s.serial(disk)
	set(&disk.Wwn, wwn(s.attribute("wwid")), wwn(s.attribute("device/wwid")), wwn(s.udev["ID_WWN_WITH_EXTENSION"]),
		wwn(s.udev["ID_WWN"]))
	if full := unescape(s.udev["ID_MODEL_ENC"]); strings.HasPrefix(full, disk.Model) {
		disk.Model = full // SCSI's field has 16 characters, ATA's has 40
	}
	set(&disk.FirmwareRevision, s.udev["ID_REVISION"])
}

// set assigns the first value that is not empty, unless the field has a value.
func set(field *string, values ...string) {
	for _, value := range values {
		if *field == "" {
			*field = value
		}
	}
}

// vendor drops placeholders: SAT-5 §10.3.2 defines "ATA" for every ATA disk, and virtio disks have
// a number.
func vendor(text string) string {
	if text == "ATA" || strings.HasPrefix(text, "0x") {
		return ""
	}
	return text
}

// wwn returns a world wide name as lower-case hexadecimal digits. The kernel's prefix is its type:
// "naa." and "eui." are unique world wide; "t10." and "nvme." are composed of vendor, model and
// serial number and are left out.
func wwn(text string) string {
	for _, prefix := range []string{"naa.", "eui.", "uuid.", "0x"} {
		if id, found := strings.CutPrefix(text, prefix); found {
			id = strings.ToLower(id)
			if strings.Trim(id, "0-") == "" {
				return ""
			}
			return id
		}
	}
	return ""
}

// mmc reads an attribute whose name has another meaning on other buses.
func (s source) mmc(name string) string {
	if !strings.HasPrefix(path.Base(s.device), "mmcblk") {
		return ""
	}
	return s.attribute("device/" + name)
}

// serial sets the serial number unless the disk's own identification has it. Behind USB most serial
// numbers are those of the bridge, the card reader or the enclosure, which gives one number to all
// its disks: only a number that the disk itself returns through the bridge counts. A removable
// medium, such as a card, has none.
func (s source) serial(disk *inventoryv1.Storage) {
	if disk.Bus != "usb" {
		set(&disk.SerialNumber, s.attribute("device/serial"), s.attribute("serial"), s.unitSerial(),
			s.udev["ID_SERIAL_SHORT"])
		return
	}
	if disk.GetRemovable() {
		return
	}
	if serial := s.unitSerial(); serial != s.usbSerial() {
		set(&disk.SerialNumber, serial)
	}
	if s.udev["ID_BUS"] == "ata" || s.udev["ID_ATA"] == "1" { // udev has asked the disk, not the bridge
		set(&disk.SerialNumber, s.udev["ID_SERIAL_SHORT"])
	}
}

// usbSerial reads the serial number of the USB device that contains the disk. Its directory is the
// parent of that of its interface, whose name is bus-port:configuration.interface.
func (s source) usbSerial() string {
	for device := s.device; device != "/"; device = path.Dir(device) {
		if strings.Contains(path.Base(device), ":1.") {
			return s.host.Attribute(path.Dir(device) + "/serial")
		}
	}
	return ""
}
