package host

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var netapi = windows.NewLazySystemDLL("netapi32.dll")

// wholeList requests all entries in one buffer, which the system allocates.
const wholeList = 1<<32 - 1

// localGroups leaves out the members of a group that the agent may not list, and reports it.
func localGroups() ([]LocalGroup, error) {
	enumerate := netapi.NewProc("NetLocalGroupEnum")
	if err := enumerate.Find(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var first **uint16 // LOCALGROUP_INFO_0 has one field
	var count, total uint32
	result, _, _ := enumerate.Call(0, 0, uintptr(unsafe.Pointer(&first)), wholeList, uintptr(unsafe.Pointer(&count)),
		uintptr(unsafe.Pointer(&total)), 0)
	if result != 0 {
		return nil, fmt.Errorf("list local groups: %w", windows.Errno(result))
	}
	if first == nil {
		return nil, nil
	}
	defer func() { _ = windows.NetApiBufferFree((*byte)(unsafe.Pointer(first))) }()
	var list []LocalGroup
	var errs []error
	for _, name := range unsafe.Slice(first, count) {
		g := LocalGroup{Name: windows.UTF16PtrToString(name)}
		if sid, _, _, err := windows.LookupSID("", g.Name); err == nil {
			g.SID = sid.String()
		}
		var err error
		if g.Members, err = groupMembers(name); err != nil {
			errs = append(errs, fmt.Errorf("list members of %s: %w", g.Name, err))
		}
		list = append(list, g)
	}
	return list, errors.Join(errs...)
}

func groupMembers(group *uint16) ([]GroupMember, error) {
	call := netapi.NewProc("NetLocalGroupGetMembers")
	if err := call.Find(); err != nil {
		return nil, err
	}
	var first *struct { // LOCALGROUP_MEMBERS_INFO_2
		sid     *windows.SID
		use     uint32
		account *uint16
	}
	var count, total uint32
	result, _, _ := call.Call(0, uintptr(unsafe.Pointer(group)), 2, uintptr(unsafe.Pointer(&first)), wholeList,
		uintptr(unsafe.Pointer(&count)), uintptr(unsafe.Pointer(&total)), 0)
	if result != 0 {
		return nil, windows.Errno(result)
	}
	if first == nil {
		return nil, nil
	}
	defer func() { _ = windows.NetApiBufferFree((*byte)(unsafe.Pointer(first))) }()
	var members []GroupMember
	for _, m := range unsafe.Slice(first, count) {
		member := GroupMember{SID: m.sid.String()}
		if m.use != windows.SidTypeUnknown && m.use != windows.SidTypeDeletedAccount {
			member.Account = windows.UTF16PtrToString(m.account)
		}
		members = append(members, member)
	}
	return members, nil
}

// Information about a session (WTS_INFO_CLASS).
const (
	sessionUser     = 5
	sessionDomain   = 7
	sessionClient   = 10
	sessionProtocol = 16
	sessionInfo     = 24
)

// logonTime is the offset of LogonTime in WTSINFO, in bytes.
const logonTime = 200

func logonSessions() ([]LogonSession, error) {
	var first *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &count); err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	if first == nil {
		return nil, nil
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	var list []LogonSession
	for _, s := range unsafe.Slice(first, count) {
		found := LogonSession{State: s.State}
		text := func(class uint32) string { // ends with a NUL
			data := sessionInformation(s.SessionID, class)
			return UTF16Text(data[:max(len(data)-2, 0)])
		}
		if found.User = text(sessionUser); found.User != "" {
			found.Domain, found.Client = text(sessionDomain), text(sessionClient)
			if protocol := sessionInformation(s.SessionID, sessionProtocol); len(protocol) >= 2 {
				found.Protocol = *(*uint16)(unsafe.Pointer(&protocol[0]))
			}
			if info := sessionInformation(s.SessionID, sessionInfo); len(info) >= logonTime+8 {
				at := *(*windows.Filetime)(unsafe.Pointer(&info[logonTime]))
				if at.HighDateTime != 0 {
					found.LoggedOn = time.Unix(0, at.Nanoseconds())
				}
			}
		}
		list = append(list, found)
	}
	return list, nil
}

// sessionInformation returns nil if the session has ended or the system does not know the answer.
func sessionInformation(session, class uint32) []byte {
	call := windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSQuerySessionInformationW")
	if call.Find() != nil {
		return nil
	}
	var answer *byte
	var size uint32
	ok, _, _ := call.Call(0, uintptr(session), uintptr(class), uintptr(unsafe.Pointer(&answer)),
		uintptr(unsafe.Pointer(&size)))
	if ok == 0 || answer == nil {
		return nil
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(answer)))
	return append([]byte(nil), unsafe.Slice(answer, size)...)
}

func domain() (Domain, error) {
	get, free := netapi.NewProc("DsRoleGetPrimaryDomainInformation"), netapi.NewProc("DsRoleFreeMemory")
	if err := errors.Join(get.Find(), free.Find()); err != nil {
		return Domain{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var info *struct { // DSROLE_PRIMARY_DOMAIN_INFO_BASIC
		role, flags       uint32
		flat, dns, forest *uint16
		guid              windows.GUID
	}
	const basic = 1
	result, _, _ := get.Call(0, basic, uintptr(unsafe.Pointer(&info)))
	if result != 0 || info == nil {
		return Domain{}, fmt.Errorf("ask for the domain: %w", windows.Errno(result))
	}
	defer func() { _, _, _ = free.Call(uintptr(unsafe.Pointer(info))) }()
	return Domain{
		Role: info.role, Name: windows.UTF16PtrToString(info.flat), DNS: windows.UTF16PtrToString(info.dns),
	}, nil
}

// entraJoin returns the zero EntraJoin if the machine has no such membership.
func entraJoin() (EntraJoin, error) {
	get, free := netapi.NewProc("NetGetAadJoinInformation"), netapi.NewProc("NetFreeAadJoinInformation")
	if err := errors.Join(get.Find(), free.Find()); err != nil { // before Windows 10
		return EntraJoin{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var info *struct { // DSREG_JOIN_INFO, without its end
		kind                                            uint32
		certificate                                     uintptr
		deviceID, idpDomain, tenantID, user, tenantName *uint16
	}
	result, _, _ := get.Call(0, uintptr(unsafe.Pointer(&info)))
	if int32(result) < 0 { //nolint:gosec // an HRESULT has 32 bits
		return EntraJoin{}, fmt.Errorf("ask for the Entra ID tenant: result %#x", uint32(result)) //nolint:gosec // as above
	}
	if info == nil {
		return EntraJoin{}, nil
	}
	defer func() { _, _, _ = free.Call(uintptr(unsafe.Pointer(info))) }()
	return EntraJoin{
		Type:       info.kind,
		DeviceID:   windows.UTF16PtrToString(info.deviceID),
		TenantID:   windows.UTF16PtrToString(info.tenantID),
		TenantName: windows.UTF16PtrToString(info.tenantName),
		User:       windows.UTF16PtrToString(info.user),
	}, nil
}
