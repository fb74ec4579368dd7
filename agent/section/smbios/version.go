package smbios

// Version is the version of the specification that a table says it follows. The zero Version is unknown.
type Version struct{ Major, Minor uint8 }

// AtLeast reports whether the version is major.minor or later.
func (v Version) AtLeast(major, minor uint8) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// corrected mends the versions that some firmware is known to write: 2.31 and 2.33 stand for 2.3, 2.51 for 2.6.
// Linux reads them the same way.
func (v Version) corrected() Version {
	if v.Major != 2 {
		return v
	}
	switch v.Minor {
	case 0x1F, 0x21:
		return Version{2, 3}
	case 0x33:
		return Version{2, 6}
	}
	return v
}

// growth lists by how much structures grew with the versions up to 2.6: the shortest length that a structure of
// the type has since that version.
var growth = []struct {
	kind    uint8
	length  int
	version Version
}{
	{typeProcessor, 0x2A, Version{2, 6}},
	{typeMemoryDevice, 0x1C, Version{2, 6}},
	{typeProcessor, 0x28, Version{2, 5}},
	{typeBIOS, 0x18, Version{2, 4}},
	{typeSystem, 0x1B, Version{2, 4}},
}

// inferVersion tells the version of a bare table without its entry point from the lengths of its structures, as far
// as anything depends on it: which is the order of bytes in the UUID, since 2.6. Where the structures that
// grew with 2.6 are there in their old length, the table is older; where there are none of them to tell, as in
// some virtual machines, it is new, unless even type 1 is older than 2.4.
func (t *Table) inferVersion() Version {
	lengths := map[uint8]int{}
	for _, s := range t.structures {
		lengths[s.Type] = max(lengths[s.Type], len(s.formatted))
	}
	_, processors := lengths[typeProcessor]
	_, memory := lengths[typeMemoryDevice]
	if !processors && !memory && lengths[typeSystem] >= 0x1B {
		return Version{2, 6}
	}
	for _, g := range growth {
		if lengths[g.kind] >= g.length {
			return g.version
		}
	}
	return Version{2, 3}
}
