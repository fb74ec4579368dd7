package osservice

import (
	"fmt"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// changing are the rights that let a user replace a file or what is in a directory.
const changing = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC |
	windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL

// trustedInstaller is the service that owns the files of Windows.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// checkProtected returns an error if a user without the rights of an administrator could replace
// the program or another file in its directory, such as a DLL.
func checkProtected(program string) error {
	for _, path := range []string{program, filepath.Dir(program)} {
		descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			return fmt.Errorf("read the access rights of %s: %w", path, err)
		}
		acl, _, err := descriptor.DACL()
		if err != nil {
			return fmt.Errorf("read the access rights of %s: %w", path, err)
		}
		who, err := changers(acl)
		if err != nil {
			return fmt.Errorf("read the access rights of %s: %w", path, err)
		}
		if who != "" {
			return fmt.Errorf("%s can change %s: copy the program to a directory of administrators, "+
				"such as one below Program Files, and install the service from there", who, path)
		}
	}
	return nil
}

// changers returns the identifier of a user or group that has a right in changing and is not an
// administrator, or "".
func changers(acl *windows.ACL) (string, error) {
	if acl == nil {
		return "everyone", nil
	}
	for i := range uint32(acl.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &entry); err != nil {
			return "", err
		}
		if entry.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE ||
			entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || entry.Mask&changing == 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart)) //nolint:gosec // the form of the system call
		if !sid.IsWellKnown(windows.WinLocalSystemSid) && !sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) &&
			sid.String() != trustedInstaller {
			return sid.String(), nil
		}
	}
	return "", nil
}
