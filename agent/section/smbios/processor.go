package smbios

import (
	"fmt"
	"strings"
)

// Processor is one processor socket, type 4 (SMBIOS 3.7 §7.5). Numbers are 0 if unknown.
type Processor struct {
	Designation  string // of the socket
	Family       string
	Manufacturer string
	Version      string // the name of the processor
	ID           string // the eight bytes of CPUID leaf 1, EAX and EDX, in hex with spaces
	Status       string
	Running      bool   // the socket has a processor that is not disabled
	MaxMHz       uint16 // of the socket
	CurrentMHz   uint16 // at boot
	Cores        uint16
	Threads      uint16
	SerialNumber string
	PartNumber   string
}

// processorLength is the length of a type 4 structure in SMBIOS 2.0, the shortest one.
const processorLength = 0x1A

// Processors returns the table's sockets, including empty ones.
func (t *Table) Processors() []Processor {
	var list []Processor
	for _, s := range t.structures {
		if s.Type == typeProcessor && s.has(processorLength) {
			list = append(list, t.processor(s))
		}
	}
	return list
}

func (t *Table) processor(s Structure) Processor {
	manufacturer := s.text(0x07)
	return Processor{
		Designation:  s.text(0x04),
		Family:       t.processorFamily(s, manufacturer),
		Manufacturer: manufacturer,
		Version:      s.text(0x10),
		ID:           fmt.Sprintf("% X", s.formatted[0x08:0x10]),
		Status:       processorStatus(s.byte(0x18)),
		Running:      processorRuns(s.byte(0x18)),
		MaxMHz:       s.word(0x14),
		CurrentMHz:   s.word(0x16),
		Cores:        s.extended(0x23, 0x2A),
		Threads:      s.extended(0x25, 0x2E),
		SerialNumber: s.text(0x20),
		PartNumber:   s.text(0x22),
	}
}

// extended reads a count. Since SMBIOS 3.0 a word replaces a byte that is too small (§7.5.6,
// §7.5.8).
func (s Structure) extended(narrow, wide int) uint16 {
	count := s.byte(narrow)
	if count == 0xFF && s.has(wide+2) {
		return s.word(wide)
	}
	return uint16(count)
}

const processorPopulated = 0x40

// processorStates are the texts of the lowest three bits of the status (SMBIOS 3.7 §7.5, offset
// 18h).
var processorStates = [8]string{"Unknown", "Enabled", "Disabled By User", "Disabled By BIOS", "Idle", "", "", "Other"}

func processorStatus(status uint8) string {
	if status&processorPopulated == 0 {
		return "Unpopulated"
	}
	state := processorStates[status&0x07]
	if state == "" {
		return "Populated"
	}
	return "Populated, " + state
}

// processorRuns reports whether the system can see a processor in the socket: it is enabled, or
// idle and waiting to be enabled.
func processorRuns(status uint8) bool {
	const enabled, idle = processorPopulated | 1, processorPopulated | 4
	state := status & (processorPopulated | 0x07)
	return state == enabled || state == idle
}

// The codes of a family that depend on other fields.
const (
	familyShared  = 0xBE // Core 2, and K7
	familyInWord  = 0xFE // the family is in the word that SMBIOS 2.6 added
	familyAlpha   = 0x30 // also the Pentium Pro in SMBIOS 2.0
	familyPentium = "Pentium Pro"
)

// processorFamily returns the name of the family (§7.5.2).
func (t *Table) processorFamily(s Structure, manufacturer string) string {
	code := uint16(s.byte(0x06))
	if code == familyInWord && s.has(0x2A) {
		code = s.word(0x28)
	}
	intel := strings.HasPrefix(manufacturer, "Intel")
	switch {
	case code == familyAlpha && intel && t.Version == Version{2, 0}:
		return familyPentium
	case code == familyShared && (intel || strings.HasPrefix(manufacturer, "GenuineIntel")):
		return "Core 2"
	case code == familyShared && strings.HasPrefix(strings.ToUpper(manufacturer), "A"): // AMD, Advanced…
		return "K7"
	}
	return families[code]
}
