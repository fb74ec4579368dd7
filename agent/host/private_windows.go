package host

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ProgramData returns the folder for the data of programs that belongs to no user. It is not taken
// from the environment, which differs between services and users in Wine.
func ProgramData() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return `C:\ProgramData`
	}
	return dir
}

// The access of the two that may read a private directory and all below it. P: it inherits nothing.
const privateRights = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// makePrivate makes the directory with its access rights in one step, so that nobody can open it
// before. An ordinary user, who runs the agent without a service, has access too.
func makePrivate(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // not the private directory
		return err
	}
	rights := "O:BA" + privateRights
	if token := windows.GetCurrentProcessToken(); !token.IsElevated() {
		user, err := token.GetTokenUser()
		if err != nil {
			return fmt.Errorf("request the user of this process: %w", err)
		}
		rights = privateRights + "(A;OICI;FA;;;" + user.User.Sid.String() + ")"
	}
	descriptor, err := windows.SecurityDescriptorFromString(rights)
	if err != nil {
		return fmt.Errorf("access rights of %s: %w", dir, err)
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	if err := windows.CreateDirectory(name, &attributes); err != nil {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	return nil
}

// checkPrivate returns an error if the directory belongs to another user, who could change its
// rights, or if another user can read it. Every user may make directories in ProgramData.
func checkPrivate(dir string) error {
	const wanted = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	descriptor, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, wanted)
	if err != nil {
		return fmt.Errorf("read the access rights of %s: %w", dir, err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("request the user of this process: %w", err)
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return fmt.Errorf("read the owner of %s: %w", dir, err)
	}
	if !isTrusted(owner, user.User.Sid) {
		return fmt.Errorf("the directory %s belongs to %s: delete it, or choose another directory", dir, owner)
	}
	acl, _, err := descriptor.DACL()
	if err != nil {
		return fmt.Errorf("read the access rights of %s: %w", dir, err)
	}
	other, err := otherReader(acl, user.User.Sid)
	if err != nil {
		return fmt.Errorf("read the access rights of %s: %w", dir, err)
	}
	if other != "" {
		return fmt.Errorf("%s can read the directory %s: choose another directory, or run "+
			`icacls "%s" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F`, other, dir, dir)
	}
	return nil
}

// isTrusted reports whether the identifier is that of the system, the administrators, the user or
// whoever makes a file in the directory.
func isTrusted(sid, user *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		sid.IsWellKnown(windows.WinCreatorOwnerSid) || sid.Equals(user)
}

// otherReader returns the identifier of an untrusted user or group that has a right, or "".
func otherReader(acl *windows.ACL, user *windows.SID) (string, error) {
	if acl == nil {
		return "everyone", nil
	}
	for i := range uint32(acl.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &entry); err != nil {
			return "", err
		}
		sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart)) //nolint:gosec // the form of the system call
		if entry.Header.AceType != windows.ACCESS_DENIED_ACE_TYPE && entry.Mask != 0 && !isTrusted(sid, user) {
			return sid.String(), nil
		}
	}
	return "", nil
}
