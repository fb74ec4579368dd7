package inventory

import "time"

// EnrollmentToken permits agents to enroll. Only the hash of the token itself is stored.
type EnrollmentToken struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	MaxUses  int32  `json:"max_uses"`
	Uses     int32  `json:"uses"`
	Network  string `json:"network,omitempty"`
	Approval string `json:"approval"` // Approval…
	// SerialNumbers are those of the machines that may enroll. None: any.
	SerialNumbers []string   `json:"serial_numbers,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	ExpiresAt     time.Time  `json:"expires_at"`
	RevokedAt     *time.Time `json:"revoked_at,omitempty"`
}

// How the agents that enroll with a token are approved.
const (
	ApprovalAutomatic = "automatic"
	ApprovalManual    = "manual" // nothing of an agent is applied before a person approves it
)

// APIToken permits a program to use the API. Only the hash of the token itself is stored.
type APIToken struct {
	ID        string
	Name      string
	CreatedAt time.Time
	RevokedAt *time.Time
}
