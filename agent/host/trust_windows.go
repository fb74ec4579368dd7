package host

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// readFirmwareVariable reads a variable of UEFI. The system requires a privilege that
// administrators have and that is off by default. Only the thread that reads turns it on.
func readFirmwareVariable(name, vendor string) ([]byte, error) {
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetFirmwareEnvironmentVariableW")
	if err := call.Find(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	wideName, err1 := windows.UTF16PtrFromString(name)
	wideVendor, err2 := windows.UTF16PtrFromString(vendor)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	buf := make([]byte, 64)
	var size uintptr
	err := withPrivilege("SeSystemEnvironmentPrivilege", func() error {
		var err error
		size, _, err = call.Call(uintptr(unsafe.Pointer(wideName)), uintptr(unsafe.Pointer(wideVendor)),
			uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
		if size == 0 {
			return err
		}
		return nil
	})
	if errors.Is(err, windows.ERROR_INVALID_FUNCTION) { // the machine was started by a BIOS
		err = fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read firmware variable %s: %w", name, err)
	}
	return buf[:min(int(size), len(buf))], nil
}

// withPrivilege calls do on a thread that has the privilege.
func withPrivilege(name string, do func() error) error {
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	var privileges windows.Tokenprivileges
	if err := windows.LookupPrivilegeValue(nil, wide, &privileges.Privileges[0].Luid); err != nil {
		return err
	}
	privileges.PrivilegeCount = 1
	privileges.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED

	runtime.LockOSThread()
	if err := windows.ImpersonateSelf(windows.SecurityImpersonation); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if windows.RevertToSelf() == nil { // else the thread ends with its goroutine
			runtime.UnlockOSThread()
		}
	}()
	var token windows.Token
	const access = windows.TOKEN_ADJUST_PRIVILEGES | windows.TOKEN_QUERY
	err = windows.OpenThreadToken(windows.CurrentThread(), access, true, &token)
	if err != nil {
		return err
	}
	defer func() { _ = token.Close() }()
	if err := windows.AdjustTokenPrivileges(token, false, &privileges, 0, nil, nil); err != nil {
		return err
	}
	return do()
}

// tpmProperties sends the command TPM2_GetCapability, which changes nothing.
func tpmProperties() ([]byte, error) {
	library := windows.NewLazySystemDLL("tbs.dll")
	create, submit, closing := library.NewProc("Tbsi_Context_Create"), library.NewProc("Tbsip_Submit_Command"),
		library.NewProc("Tbsip_Context_Close")
	if err := errors.Join(create.Find(), submit.Find(), closing.Find()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	parameters := struct{ version, flags uint32 }{2, 4} // TBS_CONTEXT_PARAMS2 with includeTpm20
	var context uintptr
	if result, _, _ := create.Call(uintptr(unsafe.Pointer(&parameters)), uintptr(unsafe.Pointer(&context))); result != 0 {
		return nil, fmt.Errorf("open TPM: result %#x", result)
	}
	defer func() { _, _, _ = closing.Call(context) }()
	command := []byte{
		0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, // no sessions, size, TPM_CC_GetCapability
		0, 0, 0, 6, 0, 0, 0x01, 0x05, 0, 0, 0, 8, // TPM_CAP_TPM_PROPERTIES, TPM_PT_MANUFACTURER, count
	}
	answer := make([]byte, 4096)
	size := uint32(len(answer))
	const locality, priority = 0, 200 // TBS_COMMAND_PRIORITY_NORMAL
	result, _, _ := submit.Call(context, locality, priority, uintptr(unsafe.Pointer(&command[0])), uintptr(len(command)),
		uintptr(unsafe.Pointer(&answer[0])), uintptr(unsafe.Pointer(&size)))
	if result != 0 {
		return nil, fmt.Errorf("ask the TPM for its properties: result %#x", result)
	}
	return answer[:min(int(size), len(answer))], nil
}

func codeIntegrity() (uint32, error) {
	const class = 103                                     // SystemCodeIntegrityInformation
	information := struct{ length, options uint32 }{8, 0} // SYSTEM_CODEINTEGRITY_INFORMATION
	err := windows.NtQuerySystemInformation(class, unsafe.Pointer(&information), information.length, nil)
	if err != nil {
		return 0, fmt.Errorf("ask for code integrity: %w", err)
	}
	return information.options, nil
}
