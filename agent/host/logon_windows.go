package host

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Registry keys of logons. wholeView selects the 64-bit view, because a 32-bit program would read
// another part of the registry.
const (
	logonUI     = `SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\LogonUI`
	profileList = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`
	wholeView   = registry.READ | registry.WOW64_64KEY
)

// accountSID is the prefix of the SIDs of machine and domain accounts (Microsoft, "Well-known
// SIDs").
const accountSID = "S-1-5-21-"

func logons() ([]Logon, error) {
	last, err := lastLogon()
	if err != nil {
		return nil, err
	}
	profiles, err := localProfiles(&last)
	if last.Account != "" {
		profiles = append(profiles, last)
	}
	return profiles, err
}

// lastLogon returns the zero Logon if nobody has logged on.
func lastLogon() (Logon, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, logonUI, wholeView)
	if errors.Is(err, registry.ErrNotExist) {
		return Logon{}, nil
	}
	if err != nil {
		return Logon{}, fmt.Errorf("open registry key of the last logon: %w", err)
	}
	defer func() { _ = key.Close() }()
	text := func(name string) string {
		value, _, err := key.GetStringValue(name)
		if err != nil { // not every release of Windows has all values
			return ""
		}
		return value
	}
	l := Logon{
		SID:         text("LastLoggedOnUserSID"),
		Account:     text("LastLoggedOnSAMUser"),
		Principal:   text("LastLoggedOnUser"),
		DisplayName: text("LastLoggedOnDisplayName"),
		Last:        true,
	}
	if l.Account == "" && strings.Contains(l.Principal, `\`) {
		l.Account = l.Principal
	}
	return l, nil
}

// localProfiles returns the local accounts that have a profile, except the last logon, whose
// LoadedAt it sets.
func localProfiles(last *Logon) ([]Logon, error) {
	list, err := registry.OpenKey(registry.LOCAL_MACHINE, profileList, wholeView)
	if err != nil {
		return nil, fmt.Errorf("open registry key of the profiles: %w", err)
	}
	defer func() { _ = list.Close() }()
	sids, err := list.ReadSubKeyNames(-1)
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	machine, err := machineSID()
	if err != nil {
		return nil, err
	}
	var found []Logon
	for _, sid := range sids {
		if sid == last.SID {
			last.LoadedAt = loadedAt(sid)
			continue
		}
		if !strings.HasPrefix(sid, machine+"-") {
			continue
		}
		if account := accountOf(sid); account != "" {
			found = append(found, Logon{SID: sid, Account: account, LoadedAt: loadedAt(sid)})
		}
	}
	return found, nil
}

// machineSID returns the prefix of the SIDs of local accounts.
func machineSID() (string, error) {
	name, err := windows.ComputerName()
	if err != nil {
		return "", fmt.Errorf("name of the machine: %w", err)
	}
	sid, _, _, err := windows.LookupSID("", name)
	if err != nil {
		return "", fmt.Errorf("look up the machine's SID: %w", err)
	}
	if !strings.HasPrefix(sid.String(), accountSID) {
		return "", fmt.Errorf("look up the machine's SID: unexpected %s", sid)
	}
	return sid.String(), nil
}

// accountOf returns "" for a profile whose account no longer exists.
func accountOf(text string) string {
	sid, err := windows.StringToSid(text)
	if err != nil {
		return ""
	}
	name, domain, _, err := sid.LookupAccount("")
	if err != nil {
		return ""
	}
	return domain + `\` + name
}

// loadedAt reads the two halves of a FILETIME, which Windows writes since version 10.
func loadedAt(sid string) time.Time {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, profileList+`\`+sid, wholeView)
	if err != nil {
		return time.Time{}
	}
	defer func() { _ = key.Close() }()
	high, _, err1 := key.GetIntegerValue("LocalProfileLoadTimeHigh")
	low, _, err2 := key.GetIntegerValue("LocalProfileLoadTimeLow")
	if err1 != nil || err2 != nil || high == 0 {
		return time.Time{}
	}
	at := windows.Filetime{HighDateTime: uint32(high), LowDateTime: uint32(low)} //nolint:gosec // two DWORDs
	return time.Unix(0, at.Nanoseconds())
}
