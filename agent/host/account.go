package host

import "time"

// LocalGroup is a group of the machine itself in Windows.
type LocalGroup struct {
	Name    string
	SID     string
	Members []GroupMember
}

// GroupMember is a user or a group in a local group.
type GroupMember struct {
	SID     string
	Account string // `DOMAIN\name`; empty if the account no longer exists
}

// LocalGroups returns the local groups of Windows with their members.
func (h *Host) LocalGroups() ([]LocalGroup, error) {
	return ask(h, "local groups", "", localGroups)
}

// LogonSession is a session of Windows, in the terms of Remote Desktop Services.
type LogonSession struct {
	State    uint32 // WTS_CONNECTSTATE_CLASS
	User     string // empty: nobody is logged on
	Domain   string
	Protocol uint16 // 0: the machine's own console; 2: Remote Desktop
	Client   string // name of the machine from which the user works; empty at the console
	LoggedOn time.Time
}

// LogonSessions returns the sessions of Windows, also those of the system.
func (h *Host) LogonSessions() ([]LogonSession, error) {
	return ask(h, "logon sessions", "", logonSessions)
}

// Domain is the membership of a machine with Windows in a domain of Active Directory.
type Domain struct {
	Role uint32 // DSROLE_MACHINE_ROLE
	Name string // short name of the domain or of the workgroup
	DNS  string // of the domain; empty in a workgroup
}

// The values of Domain.Role.
const (
	RoleStandaloneWorkstation = 0
	RoleMemberWorkstation     = 1
	RoleStandaloneServer      = 2
	RoleMemberServer          = 3
	RoleBackupController      = 4
	RolePrimaryController     = 5
)

// Member reports whether the machine belongs to a domain.
func (d Domain) Member() bool {
	return d.Role != RoleStandaloneWorkstation && d.Role != RoleStandaloneServer
}

// Controller reports whether the machine serves a domain.
func (d Domain) Controller() bool {
	return d.Role == RoleBackupController || d.Role == RolePrimaryController
}

// Domain returns the membership of the machine without a request to the domain.
func (h *Host) Domain() (Domain, error) {
	return ask(h, "domain", "", domain)
}

// EntraJoin is the membership of a machine with Windows in a tenant of Entra ID.
type EntraJoin struct {
	Type       uint32 // DSREG_JOIN_TYPE; 0: none; 1: the machine is joined; 2: a user registered it
	DeviceID   string
	TenantID   string
	TenantName string
	User       string // who joined the machine
}

// EntraJoin returns the membership of the machine without a request to the tenant.
func (h *Host) EntraJoin() (EntraJoin, error) {
	return ask(h, "Entra join", "", entraJoin)
}
