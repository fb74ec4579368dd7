// Package smbios reads the table in which firmware describes a machine (DMTF DSP0134, SMBIOS 3.7): the structures
// that an inventory needs, and no other. It reads bytes, never the machine, and it takes whatever bytes come:
// firmware writes wrong tables, and captured ones are cut off.
package smbios

import (
	"errors"
	"fmt"
)

// ErrNoTable says that the bytes hold no structure that describes a machine.
var ErrNoTable = errors.New("no SMBIOS table")

// ErrIncomplete says that the table ends early: what was read of it is right, but more belongs to it.
var ErrIncomplete = errors.New("SMBIOS table is incomplete")

// Source is where a table comes from: the machine, or a captured file.
type Source interface {
	// SMBIOS gives the table as the system has it and, where there is one, the entry point that leads to it.
	SMBIOS() (table, entryPoint []byte, err error)
}

// Table is a decoded table. The zero Table describes nothing.
type Table struct {
	Version    Version
	structures []Structure
}

// Read takes the table from its source. The table is good for use as far as it goes when the error is ErrIncomplete.
func Read(source Source) (Table, error) {
	data, entryPoint, err := source.SMBIOS()
	if err != nil {
		return Table{}, err
	}
	return Parse(data, entryPoint)
}

// Parse decodes a table in one of its three forms: the bare table, as Linux has it in its file DMI; behind the
// header of Windows; or in a dump of dmidecode, which begins with an entry point. entryPoint belongs to a bare
// table and may be nil.
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
		return t, fmt.Errorf("%w: it breaks off after %d structures", ErrIncomplete, len(t.structures))
	}
	return t, nil
}

// maxStructures is how many handles there are for structures (SMBIOS 3.7 §6.1.2).
const maxStructures = 0xFF00

// walk reads the structures one after the other, up to the end-of-table structure or the end of the bytes. The
// table is complete when it has that structure, or ends with a structure where its declared length says.
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

// describes reports whether any structure tells something of a machine. Bytes that are no table can look like
// structures of other types.
func (t *Table) describes() bool {
	for _, s := range t.structures {
		switch s.Type {
		case typeBIOS, typeSystem, typeBoard, typeChassis, typeProcessor, typeMemoryArray, typeMemoryDevice:
			return true
		}
	}
	return false
}

// first finds the first structure of a type: where there are several, it is the machine's own, and the others are
// those of its parts or docks. It is also the one that Linux shows in /sys/class/dmi/id.
func (t *Table) first(kind uint8) (Structure, bool) {
	for _, s := range t.structures {
		if s.Type == kind {
			return s, true
		}
	}
	return Structure{}, false
}
