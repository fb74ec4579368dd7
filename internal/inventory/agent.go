package inventory

import (
	"net/netip"
	"time"
)

// Enrollment is an agent's request to be enrolled. Its key is authenticated; the serial number and
// the host name are claims.
type Enrollment struct {
	Token        [32]byte // the hash of the enrollment token
	Key          [32]byte // the hash of the agent's public key
	From         netip.Addr
	Expires      time.Time // of its new certificate
	SerialNumber string
	Hostname     string
}

// The states of an agent.
const (
	AgentPending  = "pending"  // nothing of it is applied before a person approves it
	AgentApproved = "approved" // its token or a person approved it
	AgentRefused  = "refused"  // a person refused it
	AgentRevoked  = "revoked"  // it was approved, and its key is not accepted any more
)

// Agent is an enrolled agent.
type Agent struct {
	AgentID      string     `json:"agent_id"`
	State        string     `json:"state"`
	SerialNumber string     `json:"serial_number,omitempty"` // as claimed when it enrolled
	Hostname     string     `json:"hostname,omitempty"`      // as claimed when it enrolled
	Address      string     `json:"address,omitempty"`
	Token        string     `json:"enrollment_token,omitempty"` // the name of its enrollment token
	Device       string     `json:"device,omitempty"`           // the id; empty before the first inventory
	EnrolledAt   time.Time  `json:"enrolled_at"`
	ApprovedAt   *time.Time `json:"approved_at,omitempty"`
	ApprovedBy   string     `json:"approved_by,omitempty"`
	RevokedAt    *time.Time `json:"revoked_at,omitempty"`
	RevokedBy    string     `json:"revoked_by,omitempty"`
	RevokeReason string     `json:"revoke_reason,omitempty"`
}

// AgentQuery selects agents, in the order of their enrollment.
type AgentQuery struct {
	Page
	State string // Agent…; "": all
}
