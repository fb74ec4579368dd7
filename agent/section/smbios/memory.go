package smbios

// MemoryDevice is one memory slot, type 17 (SMBIOS 3.7 §7.18). Speeds are in MT/s, 0 if unknown.
// For an empty slot the fields of the module are leftovers and are not read.
type MemoryDevice struct {
	Locator         string
	Bank            string
	Size            uint64 // bytes; 0 if the slot is empty
	SizeKnown       bool
	Type            string
	FormFactor      string
	Speed           uint32
	ConfiguredSpeed uint32
	Manufacturer    string
	SerialNumber    string
	AssetTag        string
	PartNumber      string
	ErrorCorrection string // of the array that contains the slot
}

// memoryDeviceLength is the length of a type 17 structure in SMBIOS 2.1, the shortest one.
const memoryDeviceLength = 0x15

// memoryTypes are the texts of SMBIOS 3.7 §7.18.2; the empty ones are reserved.
var memoryTypes = names{
	"Other", "Unknown", "DRAM", "EDRAM", "VRAM", "SRAM", "RAM", "ROM", "Flash", "EEPROM", "FEPROM", "EPROM", "CDRAM",
	"3DRAM", "SDRAM", "SGRAM", "RDRAM", "DDR", "DDR2", "DDR2 FB-DIMM", "", "", "", "DDR3", "FBD2", "DDR4", "LPDDR",
	"LPDDR2", "LPDDR3", "LPDDR4", "Logical non-volatile device", "HBM", "HBM2", "DDR5", "LPDDR5", "HBM3",
}

// formFactors are the texts of SMBIOS 3.7 §7.18.1.
var formFactors = names{
	"Other", "Unknown", "SIMM", "SIP", "Chip", "DIP", "ZIP", "Proprietary Card", "DIMM", "TSOP", "Row Of Chips", "RIMM",
	"SODIMM", "SRIMM", "FB-DIMM", "Die", "CAMM",
}

// errorCorrections are the texts of SMBIOS 3.7 §7.17.3.
var errorCorrections = names{"Other", "Unknown", "None", "Parity", "Single-bit ECC", "Multi-bit ECC", "CRC"}

// MemoryDevices returns the table's memory slots, including empty ones.
func (t *Table) MemoryDevices() []MemoryDevice {
	correctionOf := t.errorCorrection()
	var list []MemoryDevice
	for _, s := range t.structures {
		if s.Type == typeMemoryDevice && s.has(memoryDeviceLength) {
			device := s.memoryDevice()
			device.ErrorCorrection = correctionOf(s.word(0x04))
			list = append(list, device)
		}
	}
	return list
}

// errorCorrection returns a function from the handle of a memory array to its error correction.
// Some firmware writes a handle that no array has; if there is a single array, the slot belongs to
// it.
func (t *Table) errorCorrection() func(handle uint16) string {
	arrays := map[uint16]string{}
	last := ""
	for _, s := range t.structures {
		if s.Type == typeMemoryArray {
			last = errorCorrections.of(s.byte(0x06))
			arrays[s.Handle] = last
		}
	}
	return func(handle uint16) string {
		if text, ok := arrays[handle]; ok || len(arrays) != 1 {
			return text
		}
		return last
	}
}

func (s Structure) memoryDevice() MemoryDevice {
	d := MemoryDevice{
		Locator:    s.text(0x10),
		Bank:       s.text(0x11),
		Type:       memoryTypes.of(s.byte(0x12)),
		FormFactor: formFactors.of(s.byte(0x0E)),
	}
	d.Size, d.SizeKnown = s.memorySize()
	if d.SizeKnown && d.Size == 0 {
		return d
	}
	d.Speed = s.memorySpeed(0x15, 0x54)
	d.ConfiguredSpeed = s.memorySpeed(0x20, 0x58)
	d.Manufacturer = s.text(0x17)
	d.SerialNumber = s.text(0x18)
	d.AssetTag = s.text(0x19)
	d.PartNumber = s.text(0x1A)
	return d
}

// memorySize reads the size in bytes. The word counts MiB, or KiB if the highest bit is set. Since
// SMBIOS 2.7 a doubleword in MiB replaces a word that is too small (§7.18, offsets 0Ch and 1Ch).
func (s Structure) memorySize() (size uint64, known bool) {
	const unknown, extended, inKiB, mebi = 0xFFFF, 0x7FFF, 0x8000, 1 << 20
	word := s.word(0x0C)
	switch {
	case word == unknown:
		return 0, false
	case word == extended && s.has(0x20):
		return uint64(s.dword(0x1C)&0x7FFFFFFF) * mebi, true
	case word&inKiB != 0:
		return uint64(word&^inKiB) << 10, true
	default:
		return uint64(word) * mebi, true
	}
}

// memorySpeed reads a speed. Since SMBIOS 3.3 a doubleword replaces a word that is too small
// (§7.18.4).
func (s Structure) memorySpeed(narrow, wide int) uint32 {
	speed := s.word(narrow)
	if speed == 0xFFFF {
		return s.dword(wide) & 0x7FFFFFFF
	}
	return uint32(speed)
}
