package host

// Disk is a disk as Windows describes it: the structures that its storage driver returns
// (Microsoft, ntddstor.h). A structure is nil if the driver has none.
type Disk struct {
	Name        string // e.g. "PhysicalDrive0"
	SizeBytes   uint64 // 0 if unknown, as without a medium
	Descriptor  []byte // STORAGE_DEVICE_DESCRIPTOR
	Identifiers []byte // STORAGE_DEVICE_ID_DESCRIPTOR
	SeekPenalty []byte // DEVICE_SEEK_PENALTY_DESCRIPTOR
	Controller  []byte // an NVMe controller's own identification (NVMe 1.4 figure 247)
}

// Disks returns the disks and optical drives of Windows.
func (h *Host) Disks() ([]Disk, error) {
	return ask(h, "disks", "", disks)
}

// Volume is a volume of Windows that has a drive letter or a folder.
type Volume struct {
	ID          string   // a GUID in braces
	MountPoints []string // `C:\`; the drive letter first
	DriveType   uint32   // of GetDriveType
	FileSystem  string   // e.g. "NTFS"; empty if unknown, as of a locked volume
	Label       string
	TotalBytes  uint64
	FreeBytes   uint64
	System      bool // contains Windows
	// Signature is the beginning of the volume as it is on the disk, which encryption changes. It
	// is nil if the agent may not read it.
	Signature []byte
	BitLocker *BitLocker // nil if the volume is not encrypted, or its metadata cannot be read
}

// Volumes returns the volumes of Windows.
func (h *Host) Volumes() ([]Volume, error) {
	return ask(h, "volumes", "", volumes)
}
