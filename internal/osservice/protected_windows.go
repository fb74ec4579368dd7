package osservice

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Rights that let a user replace something. A right to add files to the folder of the program lets
// the user add a DLL that it loads; to the folders above, it does no harm.
const (
	replacing = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | fileDeleteChild |
		windows.GENERIC_WRITE | windows.GENERIC_ALL
	changing = replacing | windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA

	fileDeleteChild = 0x40 // FILE_DELETE_CHILD of winnt.h
)

// trustedInstaller is the service that owns the files of Windows.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// checkProtected returns an error if a user without the rights of an administrator could replace
// the program, another file in its directory, or one of the directories above.
func checkProtected(program string) error { return checkPaths(program, nil) }

// checkRunning returns an error if a user other than the one that the service runs as could replace
// its program.
func checkRunning() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("request the user of the service: %w", err)
	}
	return checkPaths(program, user.User.Sid)
}

// checkPaths trusts a user besides the system and the administrators; it may be nil.
func checkPaths(program string, trusted *windows.SID) error {
	folder := filepath.Dir(program)
	for path := program; ; path = filepath.Dir(path) {
		rights := windows.ACCESS_MASK(replacing)
		if path == program || path == folder {
			rights = changing
		}
		who, err := changer(path, rights, trusted)
		if err != nil {
			return fmt.Errorf("read the access rights of %s: %w", path, err)
		}
		if who != "" {
			return fmt.Errorf("%s can change %s: copy the program to a directory of administrators, "+
				"such as one below Program Files, and install the service from there", who, path)
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

// changer returns the identifier of a user or group that has one of the rights and is not trusted,
// or "". The owner has the right to change the rights.
func changer(path string, rights windows.ACCESS_MASK, trusted *windows.SID) (string, error) {
	const wanted = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, wanted)
	if err != nil {
		return "", err
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return "", err
	}
	if !isTrusted(owner, trusted) {
		return owner.String(), nil
	}
	acl, _, err := descriptor.DACL()
	if err != nil {
		return "", err
	}
	if acl == nil {
		return "everyone", nil
	}
	for i := range uint32(acl.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &entry); err != nil {
			return "", err
		}
		sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart)) //nolint:gosec // the form of the system call
		if entry.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE &&
			entry.Header.AceFlags&windows.INHERIT_ONLY_ACE == 0 && entry.Mask&rights != 0 && !isTrusted(sid, trusted) {
			return sid.String(), nil
		}
	}
	return "", nil
}

func isTrusted(sid, user *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		sid.String() == trustedInstaller || user != nil && sid.Equals(user)
}
