package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Paths of the SMBIOS table on Linux.
const (
	smbiosTable      = "/sys/firmware/dmi/tables/DMI"
	smbiosEntryPoint = "/sys/firmware/dmi/tables/smbios_entry_point"
	dmiStrings       = "/sys/class/dmi/id/"
)

// maxSMBIOS bounds the table, in bytes. Large servers have about 100 KiB.
const maxSMBIOS = 16 << 20

// SMBIOS returns the raw SMBIOS table and its entry point. The entry point is nil if there is none.
func (h *Host) SMBIOS() (table, entryPoint []byte, err error) {
	if !h.Live() || h.System() == "linux" {
		return h.smbiosFiles()
	}
	answer, err := ask(h, "SMBIOS table", "", func() (smbiosAnswer, error) {
		table, entryPoint, err := systemSMBIOS()
		return smbiosAnswer{table, entryPoint}, err
	})
	return answer.Table, answer.EntryPoint, err
}

// smbiosAnswer is the answer of SMBIOS in a recording.
type smbiosAnswer struct{ Table, EntryPoint []byte }

// smbiosFiles reads the table from sysfs.
func (h *Host) smbiosFiles() (table, entryPoint []byte, err error) {
	table, err = h.ReadFile(smbiosTable, maxSMBIOS)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: no SMBIOS table in %s", ErrUnsupported, smbiosTable)
	}
	if err != nil {
		return nil, nil, err
	}
	entryPoint, err = h.ReadFile(smbiosEntryPoint, 4096)
	if err != nil { // the table alone contains nearly everything
		return table, nil, nil //nolint:nilerr // see above
	}
	return table, entryPoint, nil
}

// DMI returns one of the SMBIOS strings that Linux exposes as files, e.g. "product_name". Unlike
// the table, most of these files are readable by every user.
func (h *Host) DMI(name string) (string, error) {
	text, err := h.ReadFile(dmiStrings+name, 4096)
	return strings.TrimSpace(string(text)), err
}
