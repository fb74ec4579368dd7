package host

import (
	"io/fs"
	"os"
)

// ownerOf reports that the owner is unknown: most files of a profile belong to the system or to the
// administrators, so the owner decides nothing.
func ownerOf(fs.FileInfo) (uid uint32, known bool) { return 0, false }

const readNow = os.O_RDONLY

// systemDrive is the drive of names that begin with a slash.
func systemDrive() string { return os.Getenv("SystemDrive") }
