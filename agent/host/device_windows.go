package host

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
)

// reportedName is DEVPKEY_Device_BusReportedDeviceDesc.
var reportedName = windows.DEVPROPKEY{
	FmtID: windows.DEVPROPGUID{
		Data1: 0x540b947e, Data2: 0x8b40, Data3: 0x45bc, Data4: [8]byte{0xa8, 0xa2, 0x6a, 0x0b, 0x89, 0x4c, 0xbd, 0xa2},
	},
	PID: 4,
}

func devices(filter string) ([]Device, error) {
	flags := windows.DIGCF_PRESENT | windows.DIGCF_ALLCLASSES
	enumerator := filter
	var class *windows.GUID
	if strings.HasPrefix(filter, "{") {
		guid, err := windows.GUIDFromString(filter)
		if err != nil {
			return nil, fmt.Errorf("setup class %s: %w", filter, err)
		}
		class, enumerator, flags = &guid, "", windows.DIGCF_PRESENT
	}
	set, err := windows.SetupDiGetClassDevsEx(class, enumerator, 0, flags, 0, "")
	if errors.Is(err, windows.ERROR_INVALID_DATA) { // the machine has no such bus
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list devices of %s: %w", filter, err)
	}
	defer func() { _ = set.Close() }()
	var list []Device
	err = eachDevice(set, func(data *windows.DevInfoData, instance string) {
		list = append(list, readDevice(set, data, instance))
	})
	if err != nil {
		err = fmt.Errorf("list devices of %s: %w", filter, err)
	}
	return list, err
}

// eachDevice calls read with each device of a set. A device that is removed meanwhile has no
// instance and is left out.
func eachDevice(set windows.DevInfo, read func(data *windows.DevInfoData, instance string)) error {
	for i := 0; ; i++ {
		data, err := set.EnumDeviceInfo(i)
		if errors.Is(err, windows.ERROR_NO_MORE_ITEMS) {
			return nil
		}
		if err != nil {
			return err
		}
		if instance, err := set.DeviceInstanceID(data); err == nil {
			read(data, instance)
		}
	}
}

// readDevice leaves out what the device's bus does not know.
func readDevice(set windows.DevInfo, data *windows.DevInfoData, instance string) Device {
	d := Device{Instance: instance}
	if paths, err := set.DeviceRegistryProperty(data, windows.SPDRP_LOCATION_PATHS); err == nil {
		if list, ok := paths.([]string); ok && len(list) > 0 {
			d.Location = list[0] // the others are those of ACPI
		}
	}
	d.Bus = number(set, data, windows.SPDRP_BUSNUMBER)
	d.Address = number(set, data, windows.SPDRP_ADDRESS)
	if value, err := windows.SetupDiGetDeviceProperty(set, data, &reportedName); err == nil {
		d.Reported, _ = value.(string)
	}
	return d
}

// number returns nil for an unknown number, which is missing or has all bits set.
func number(set windows.DevInfo, data *windows.DevInfoData, property windows.SPDRP) *uint32 {
	value, err := set.DeviceRegistryProperty(data, property)
	n, ok := value.(uint32)
	if err != nil || !ok || n == 1<<32-1 {
		return nil
	}
	return &n
}
