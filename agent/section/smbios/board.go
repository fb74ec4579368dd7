package smbios

// Board is the main board, type 2 (SMBIOS 3.7 §7.3).
type Board struct {
	Manufacturer string
	Product      string
	Version      string
	SerialNumber string
	AssetTag     string
}

// Board returns the table's first board, which is the main board.
func (t *Table) Board() (Board, bool) {
	s, ok := t.first(typeBoard)
	return Board{
		Manufacturer: s.text(0x04),
		Product:      s.text(0x05),
		Version:      s.text(0x06),
		SerialNumber: s.text(0x07),
		AssetTag:     s.text(0x08),
	}, ok
}
