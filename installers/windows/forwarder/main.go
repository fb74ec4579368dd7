// Command forwarder writes a DLL without code for 64-bit Windows, whose function is that of another
// DLL. The test of the MSI needs one: programs made by Go call ProcessPrng of
// bcryptprimitives.dll, which Wine 8 does not have.
//
//	forwarder FILE NAME.dll FUNCTION=DLL.FUNCTION
package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "forwarder:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	const want = 3
	if len(args) != want {
		return fmt.Errorf("got %d arguments, want FILE NAME.dll FUNCTION=DLL.FUNCTION", len(args))
	}
	function, target, found := strings.Cut(args[2], "=")
	if !found {
		return fmt.Errorf("%q is not FUNCTION=DLL.FUNCTION", args[2])
	}
	image, err := forwarder(args[1], function, target)
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], image, 0o644) //nolint:gosec // the file that the caller names
}

// The layout of the file: one page of headers, one section with the exports.
const (
	fileAlignment    = 0x200
	sectionAlignment = 0x1000
	peHeader         = 0x40
)

// exports is IMAGE_EXPORT_DIRECTORY of the PE format, for one function.
type exports struct {
	Characteristics, TimeDateStamp uint32
	MajorVersion, MinorVersion     uint16
	Name, Base                     uint32
	NumberOfFunctions              uint32
	NumberOfNames                  uint32
	AddressOfFunctions             uint32
	AddressOfNames                 uint32
	AddressOfNameOrdinals          uint32
	// The tables that the addresses above point to, each with one entry.
	Function, FunctionName uint32
	Ordinal                uint16
}

// forwarder returns the DLL. The address of a forwarded function is that of a text in the export
// directory.
func forwarder(name, function, target string) ([]byte, error) {
	const directory = 40 // bytes of IMAGE_EXPORT_DIRECTORY
	table := exports{Base: 1, NumberOfFunctions: 1, NumberOfNames: 1}
	texts := uint32(sectionAlignment + binary.Size(table)) //nolint:gosec // a constant
	table.AddressOfFunctions = sectionAlignment + directory
	table.AddressOfNames = table.AddressOfFunctions + 4
	table.AddressOfNameOrdinals = table.AddressOfNames + 4
	table.Name = texts
	table.FunctionName = table.Name + uint32(len(name)) + 1         //nolint:gosec // an argument
	table.Function = table.FunctionName + uint32(len(function)) + 1 //nolint:gosec // an argument
	var section bytes.Buffer
	if err := binary.Write(&section, binary.LittleEndian, table); err != nil {
		return nil, err
	}
	section.WriteString(name + "\x00" + function + "\x00" + target + "\x00")
	if section.Len() > fileAlignment {
		return nil, fmt.Errorf("the names have more than %d bytes", fileAlignment-binary.Size(table))
	}
	image, err := headers(uint32(section.Len())) //nolint:gosec // bounded above
	if err != nil {
		return nil, err
	}
	return append(image, append(section.Bytes(), make([]byte, fileAlignment-section.Len())...)...), nil
}

func headers(size uint32) ([]byte, error) {
	optional := pe.OptionalHeader64{
		Magic: 0x20b, SizeOfInitializedData: fileAlignment, ImageBase: 0x180000000,
		SectionAlignment: sectionAlignment, FileAlignment: fileAlignment,
		MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6,
		SizeOfImage: 2 * sectionAlignment, SizeOfHeaders: fileAlignment, Subsystem: pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT, NumberOfRvaAndSizes: 16,
	}
	exported := pe.DataDirectory{VirtualAddress: sectionAlignment, Size: size}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = exported
	file := pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1,
		SizeOfOptionalHeader: uint16(binary.Size(optional)), //nolint:gosec // a constant
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL,
	}
	section := pe.SectionHeader32{
		Name: [8]uint8{'.', 'r', 'd', 'a', 't', 'a'}, VirtualSize: size, VirtualAddress: sectionAlignment,
		SizeOfRawData: fileAlignment, PointerToRawData: fileAlignment,
		Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	image := make([]byte, peHeader, fileAlignment)
	copy(image, "MZ")
	image[0x3c] = peHeader
	buf := bytes.NewBuffer(append(image, "PE\x00\x00"...))
	for _, part := range []any{file, optional, section} {
		if err := binary.Write(buf, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	return append(buf.Bytes(), make([]byte, fileAlignment-buf.Len())...), nil
}
