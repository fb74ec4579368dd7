// Package smbios reads the SMBIOS table, in which firmware describes a machine (DMTF DSP0134,
// SMBIOS 3.7). It decodes only the structures that an inventory needs. It reads bytes, never the
// machine, and accepts any input: firmware writes wrong tables, and captured tables are truncated.
// Start reading at Parse.
package smbios

import (
	"errors"
	"fmt"
)

// ErrNoTable reports that the bytes contain no structure that describes a machine.
var ErrNoTable = errors.New("no SMBIOS table")

// ErrIncomplete reports that the table ends early. The structures that were read are valid.
var ErrIncomplete = errors.New("SMBIOS table is incomplete")

// Source is the source of a table: the machine or a captured file.
type Source interface {
	// SMBIOS returns the raw table and its entry point, which is nil if there is none.
	SMBIOS() (table, entryPoint []byte, err error)
}

// Table is a decoded table. The zero Table is empty.
type Table struct {
	Version    Version
	structures []Structure
}

// Read reads the table from its source. With ErrIncomplete it returns the structures that it could
// read.
func Read(source Source) (Table, error) {
	data, entryPoint, err := source.SMBIOS()
	if err != nil {
		return Table{}, err
	}
	return Parse(data, entryPoint)
}

// Parse decodes a table in one of three forms: the bare table, as in the Linux file DMI; the table
// after the header of Windows; a dump of dmidecode, which begins with an entry point. entryPoint
// belongs to a bare table and may be nil.
func Parse(data, entryPoint []byte) (Table, error) {
	f := frameOf(data, entryPoint)
	t := Table{Version: f.version}
	complete := t.walk(f.table, f.length)
	if !t.describes() {
		return Table{}, ErrNoTable
	}
	if t.Version == (Version{}) {
		t.Version = t.inferVersion()
	}
	if !complete {
		return t, fmt.Errorf("%w: it ends after %d structures", ErrIncomplete, len(t.structures))
	}
	return t, nil
}

// maxStructures is the number of handles for structures (SMBIOS 3.7 §6.1.2).
const maxStructures = 0xFF00

// walk reads the structures up to the end-of-table structure or the end of the bytes. The table is
// complete if it has that structure, or if its structures fill the declared length.
func (t *Table) walk(data []byte, declared int) (complete bool) {
	rest := data
	for len(t.structures) < maxStructures && len(rest) > 0 {
		s, next, whole := cut(rest)
		if s.formatted == nil {
			break
		}
		t.structures = append(t.structures, s)
		if !whole {
			return false
		}
		if s.Type == typeEndOfTable {
			return true
		}
		rest = next
	}
	read := len(data) - len(rest)
	return declared > 0 && read >= declared
}

// describes reports whether any structure describes a machine. Bytes that are not a table can look
// like structures of other types.
func (t *Table) describes() bool {
	for _, s := range t.structures {
		switch s.Type {
		case typeBIOS, typeSystem, typeBoard, typeChassis, typeProcessor, typeMemoryArray, typeMemoryDevice:
			return true
		}
	}
	return false
}

// first returns the first structure of a type. It describes the machine; later ones describe its
// components or docks. Linux shows the same one in /sys/class/dmi/id.
func (t *Table) first(kind uint8) (Structure, bool) {
	for _, s := range t.structures {
		if s.Type == kind {
			return s, true
		}
	}
	return Structure{}, false
}
