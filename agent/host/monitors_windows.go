package host

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// monitorInterface is the device interface class of attached displays, GUID_DEVINTERFACE_MONITOR.
var monitorInterface = windows.GUID{
	Data1: 0xe6f07b5f, Data2: 0xee97, Data3: 0x4a90, Data4: [8]byte{0xb0, 0x76, 0x33, 0xf5, 0x7b, 0xf4, 0xea, 0xa7},
}

// monitors returns the device instances of the displays that are attached now.
func monitors() ([]string, error) {
	const flags = windows.DIGCF_PRESENT | windows.DIGCF_DEVICEINTERFACE
	devices, err := windows.SetupDiGetClassDevsEx(&monitorInterface, "", 0, flags, 0, "")
	if err != nil {
		return nil, fmt.Errorf("list displays: %w", err)
	}
	defer func() { _ = devices.Close() }()
	var list []string
	err = eachDevice(devices, func(_ *windows.DevInfoData, instance string) { list = append(list, instance) })
	if err != nil {
		err = fmt.Errorf("list displays: %w", err)
	}
	return list, err
}
