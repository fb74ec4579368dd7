package smbios

// Version is the version of the specification that a table declares. The zero Version is unknown.
type Version struct{ Major, Minor uint8 }

// AtLeast reports whether the version is major.minor or later.
func (v Version) AtLeast(major, minor uint8) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// corrected replaces wrong versions that some firmware writes: 2.31 and 2.33 mean 2.3, 2.51 means
// 2.6. Linux does the same.
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

// growth lists the minimum length of a structure since a version, for versions up to 2.6.
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

// inferVersion derives the version of a bare table without an entry point from the lengths of its
// structures. Only one thing depends on it: the byte order of the UUID, which changed in 2.6. If
// the structures that grew in 2.6 have their old length, the table is older. If there are none of
// them, as in some virtual machines, the table counts as 2.6, unless type 1 is shorter than in 2.4.
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
