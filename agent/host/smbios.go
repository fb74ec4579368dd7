package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Where Linux has the SMBIOS table.
const (
	smbiosTable      = "/sys/firmware/dmi/tables/DMI"
	smbiosEntryPoint = "/sys/firmware/dmi/tables/smbios_entry_point"
	dmiStrings       = "/sys/class/dmi/id/"
)

// maxSMBIOS bounds the table, in bytes. Large servers have some 100 KiB.
const maxSMBIOS = 16 << 20

// SMBIOS gives the raw SMBIOS table and, where there is one, the entry point that leads to it.
func (h *Host) SMBIOS() (table, entryPoint []byte, err error) {
	if h.Live() {
		return h.systemSMBIOS()
	}
	return h.smbiosFiles()
}

// smbiosFiles reads the table as Linux shows it.
func (h *Host) smbiosFiles() (table, entryPoint []byte, err error) {
	table, err = h.ReadFile(smbiosTable, maxSMBIOS)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: no SMBIOS table in %s", ErrUnsupported, smbiosTable)
	}
	if err != nil {
		return nil, nil, err
	}
	entryPoint, err = h.ReadFile(smbiosEntryPoint, 4096)
	if err != nil { // the table alone tells nearly everything
		return table, nil, nil //nolint:nilerr // see above
	}
	return table, entryPoint, nil
}

// DMI gives one of the strings of the SMBIOS table that Linux has in files of their own, e.g. "product_name".
// Unlike the table, most of them may be read by everybody.
func (h *Host) DMI(name string) (string, error) {
	text, err := h.ReadFile(dmiStrings+name, 4096)
	return strings.TrimSpace(string(text)), err
}
