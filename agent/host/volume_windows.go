package host

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

func volumes() ([]Volume, error) {
	system, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return nil, fmt.Errorf("directory of Windows: %w", err)
	}
	var list []Volume
	var errs []error
	name := make([]uint16, windows.MAX_PATH)
	search, err := windows.FindFirstVolume(&name[0], uint32(len(name)))
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	defer func() { _ = windows.FindVolumeClose(search) }()
	for {
		v, err := readVolume(windows.UTF16ToString(name), system)
		if err != nil {
			errs = append(errs, err)
		}
		if len(v.MountPoints) > 0 {
			list = append(list, v)
		}
		if err := windows.FindNextVolume(search, &name[0], uint32(len(name))); err != nil {
			if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
				errs = append(errs, fmt.Errorf("list volumes: %w", err))
			}
			return list, errors.Join(errs...)
		}
	}
}

// readVolume describes the volume with the name `\\?\Volume{GUID}\`.
func readVolume(name, system string) (Volume, error) {
	v := Volume{ID: strings.TrimSuffix(strings.TrimPrefix(name, `\\?\Volume`), `\`)}
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return v, err
	}
	if v.MountPoints, err = mountPoints(wide); err != nil {
		return v, fmt.Errorf("mount points of volume %s: %w", v.ID, err)
	}
	if len(v.MountPoints) == 0 {
		return v, nil
	}
	if root, err := windows.UTF16PtrFromString(v.MountPoints[0]); err == nil {
		v.DriveType = windows.GetDriveType(root)
	}
	v.System = strings.HasPrefix(strings.ToLower(system), strings.ToLower(v.MountPoints[0]))

	var label, fileSystem [windows.MAX_PATH + 1]uint16
	const size = uint32(len(label))
	err = windows.GetVolumeInformation(wide, &label[0], size, nil, nil, nil, &fileSystem[0], size)
	if err == nil { // it is an error without a medium, and for a locked volume
		v.Label, v.FileSystem = windows.UTF16ToString(label[:]), windows.UTF16ToString(fileSystem[:])
		err = windows.GetDiskFreeSpaceEx(wide, &v.FreeBytes, &v.TotalBytes, nil)
	}
	if v.DriveType == windows.DRIVE_FIXED || v.DriveType == windows.DRIVE_REMOVABLE {
		v.Signature, v.BitLocker = readEncryption(strings.TrimSuffix(name, `\`))
	}
	if v.FileSystem == "" {
		return v, nil
	}
	return v, err
}

// mountPoints returns the paths of a volume, the shortest first.
func mountPoints(volume *uint16) ([]string, error) {
	buf := make([]uint16, 1024)
	for {
		var size uint32
		err := windows.GetVolumePathNamesForVolumeName(volume, &buf[0], uint32(len(buf)), &size) //nolint:gosec // small
		if errors.Is(err, windows.ERROR_MORE_DATA) && int(size) > len(buf) {
			buf = make([]uint16, size)
			continue
		}
		if err != nil {
			return nil, err
		}
		list := string(utf16.Decode(buf[:min(int(size), len(buf))]))
		paths := strings.FieldsFunc(list, func(r rune) bool { return r == 0 })
		slices.SortFunc(paths, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
		return paths, nil
	}
}

// readEncryption reads the beginning of the volume from its disk, below a driver that decrypts it,
// and what it says of its encryption.
func readEncryption(volume string) (signature []byte, encryption *BitLocker) {
	device, err := openDevice(volume, 0)
	if err != nil {
		return nil, nil
	}
	extents, err := control(device, diskExtents, nil, 1024)
	_ = windows.CloseHandle(device)
	if err != nil || len(extents) < 32 || binary.LittleEndian.Uint32(extents) != 1 { // not on one disk
		return nil, nil
	}
	number, start := binary.LittleEndian.Uint32(extents[8:]), binary.LittleEndian.Uint64(extents[16:])
	disk, err := openDevice(`\\.\PhysicalDrive`+strconv.FormatUint(uint64(number), 10), windows.GENERIC_READ)
	if err != nil {
		return nil, nil
	}
	defer func() { _ = windows.CloseHandle(disk) }()
	sector := readSectors(disk, start, 4096) // the size of the largest sector
	if len(sector) < 16 {
		return nil, nil
	}
	for _, offset := range bitLockerMetadata(sector) {
		if encryption = parseBitLocker(readSectors(disk, start+offset, bitLockerSize)); encryption != nil {
			break
		}
	}
	return sector[:16], encryption
}

// readSectors returns nil if the disk cannot be read there.
func readSectors(disk windows.Handle, offset uint64, size int) []byte {
	data := make([]byte, size)
	var read uint32
	at := windows.Overlapped{Offset: uint32(offset), OffsetHigh: uint32(offset >> 32)} //nolint:gosec // two halves
	if err := windows.ReadFile(disk, data, &read, &at); err != nil {
		return nil
	}
	return data[:read]
}
