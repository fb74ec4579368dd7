package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/windows"
)

// Control codes that need no access to the device (Microsoft, winioctl.h).
const (
	queryProperty = 0x2d1400 // IOCTL_STORAGE_QUERY_PROPERTY
	diskGeometry  = 0x700a0  // IOCTL_DISK_GET_DRIVE_GEOMETRY_EX
	diskExtents   = 0x560000 // IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS
)

// Properties of a storage device (STORAGE_PROPERTY_ID).
const (
	deviceProperty      = 0
	deviceIDProperty    = 2
	seekPenaltyProperty = 7
	adapterProtocol     = 49
)

// Windows numbers disks and optical drives from 0 and reuses numbers. These bounds are beyond what
// machines have.
const (
	maxDisks   = 256
	maxOptical = 16
)

func disks() ([]Disk, error) {
	var list []Disk
	var errs []error
	for _, kind := range []struct {
		name string
		max  int
	}{{"PhysicalDrive", maxDisks}, {"CdRom", maxOptical}} {
		for n := range kind.max {
			name := kind.name + strconv.Itoa(n)
			disk, err := readDisk(name)
			switch {
			case err == nil:
				list = append(list, disk)
			case !errors.Is(err, fs.ErrNotExist):
				errs = append(errs, err)
			}
		}
	}
	return list, errors.Join(errs...)
}

func readDisk(name string) (Disk, error) {
	device, err := openDevice(`\\.\`+name, 0)
	if err != nil {
		return Disk{}, err
	}
	defer func() { _ = windows.CloseHandle(device) }()
	d := Disk{Name: name}
	if d.Descriptor, err = property(device, deviceProperty, nil, 0); err != nil {
		return d, fmt.Errorf("describe %s: %w", name, err)
	}
	// Not every driver has the others.
	d.Identifiers, _ = property(device, deviceIDProperty, nil, 0)
	d.SeekPenalty, _ = property(device, seekPenaltyProperty, nil, 0)
	d.Controller = identifyController(device)
	if geometry, err := control(device, diskGeometry, nil, 256); err == nil && len(geometry) >= 32 {
		d.SizeBytes = binary.LittleEndian.Uint64(geometry[24:]) // DISK_GEOMETRY_EX.DiskSize
	}
	return d, nil
}

func openDevice(path string, access uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	device, err := windows.CreateFile(name, access, share, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		return 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return device, nil
}

func control(device windows.Handle, code uint32, input []byte, size int) ([]byte, error) {
	output := make([]byte, size)
	var in *byte
	if len(input) > 0 {
		in = &input[0]
	}
	var written uint32
	//nolint:gosec // sizes of a few KiB
	err := windows.DeviceIoControl(device, code, in, uint32(len(input)), &output[0], uint32(size), &written, nil)
	return output[:min(int(written), size)], err
}

// maxProperty bounds a property without parameters, in bytes.
const maxProperty = 4096

// property queries a property, with further parameters if it has any.
func property(device windows.Handle, id uint32, parameters []byte, more int) ([]byte, error) {
	query := binary.LittleEndian.AppendUint32(nil, id)
	query = binary.LittleEndian.AppendUint32(query, 0) // PropertyStandardQuery
	query = append(query, parameters...)
	if len(parameters) == 0 {
		query = append(query, 0, 0, 0, 0) // the structure has at least one additional byte
	}
	return control(device, queryProperty, query, maxProperty+more)
}

// identifyController asks an NVMe controller to identify itself. For NVMe disks the serial number
// in the device's descriptor is not that of the disk.
func identifyController(device windows.Handle) []byte {
	const size, header = 4096, 40 // of the identification; of STORAGE_PROTOCOL_SPECIFIC_DATA
	var parameters []byte
	for _, field := range []uint32{
		3, 1, 1, 0, // ProtocolTypeNvme, NVMeDataTypeIdentify, NVME_IDENTIFY_CNS_CONTROLLER
		header, size, 0, 0, 0, 0,
	} {
		parameters = binary.LittleEndian.AppendUint32(parameters, field)
	}
	output, err := property(device, adapterProtocol, append(parameters, make([]byte, size)...), size)
	if err != nil || len(output) < 8+header {
		return nil
	}
	start := 8 + int(binary.LittleEndian.Uint32(output[8+16:])) // ProtocolDataOffset
	if start < 8+header || start > len(output)-512 {
		return nil
	}
	return output[start : start+512] // the rest does not describe the disk
}
