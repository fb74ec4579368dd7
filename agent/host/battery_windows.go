package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
)

// batteryInterface is the device interface class of batteries, GUID_DEVICE_BATTERY.
var batteryInterface = windows.GUID{
	Data1: 0x72631e54, Data2: 0x78a4, Data3: 0x11d0, Data4: [8]byte{0xbc, 0xf7, 0x00, 0xaa, 0x00, 0xb7, 0xb3, 0x2a},
}

// Control codes of batteries, which read only (Microsoft, poclass.h).
const (
	batteryTag         = 0x294040 // IOCTL_BATTERY_QUERY_TAG
	batteryInformation = 0x294044 // IOCTL_BATTERY_QUERY_INFORMATION
	batteryStatus      = 0x29404c // IOCTL_BATTERY_QUERY_STATUS
)

// Levels of information (BATTERY_QUERY_INFORMATION_LEVEL).
const (
	batteryStructure    = 0
	batteryName         = 4
	batteryManufacturer = 6
	batterySerial       = 8
)

func batteries() ([]Battery, error) {
	const present = 0 // CM_GET_DEVICE_INTERFACE_LIST_PRESENT
	paths, err := windows.CM_Get_Device_Interface_List("", &batteryInterface, present)
	// The text of this error, and what it wraps, come from a function that not every system has.
	if code, ok := err.(windows.CONFIGRET); ok { //nolint:errorlint // errors.As could call that function
		return nil, fmt.Errorf("list batteries: result %#x of the configuration manager", uint32(code))
	}
	if err != nil {
		return nil, fmt.Errorf("list batteries: %w", err)
	}
	var list []Battery
	var errs []error
	for _, path := range paths {
		b, installed, err := readBattery(path)
		if err != nil {
			errs = append(errs, err)
		} else if installed {
			list = append(list, b)
		}
	}
	return list, errors.Join(errs...)
}

// readBattery reports whether a battery is in the slot.
func readBattery(path string) (b Battery, installed bool, err error) {
	// `\\?\ACPI#PNP0C0A#1#{72631e54-78a4-11d0-bcf7-00aa00b7b32a}`
	instance, _, _ := strings.Cut(strings.TrimPrefix(path, `\\?\`), "#{")
	b.Instance = strings.ReplaceAll(instance, "#", `\`)
	// The control codes require the right to read; a driver may require both rights.
	device, err := openDevice(path, windows.GENERIC_READ)
	if err != nil {
		device, err = openDevice(path, windows.GENERIC_READ|windows.GENERIC_WRITE)
	}
	if err != nil {
		return b, false, err
	}
	defer func() { _ = windows.CloseHandle(device) }()
	tag, err := control(device, batteryTag, make([]byte, 4), 4)
	empty := err == nil && (len(tag) < 4 || binary.LittleEndian.Uint32(tag) == 0)
	if empty || errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("identify battery: %w", err)
	}
	query := func(level uint32, size int) ([]byte, error) {
		input := binary.LittleEndian.AppendUint32(append([]byte(nil), tag...), level)
		return control(device, batteryInformation, append(input, 0, 0, 0, 0), size)
	}
	if b.Information, err = query(batteryStructure, 64); err != nil {
		return b, true, fmt.Errorf("describe battery: %w", err)
	}
	text := func(level uint32) string { // not every battery has every text
		answer, err := query(level, 512)
		if err != nil {
			return ""
		}
		value, _, _ := strings.Cut(UTF16Text(answer), "\x00")
		return strings.TrimSpace(value)
	}
	b.Name, b.Manufacturer, b.SerialNumber = text(batteryName), text(batteryManufacturer), text(batterySerial)
	b.Status, _ = control(device, batteryStatus, append(tag, make([]byte, 16)...), 16)
	return b, true, nil
}
