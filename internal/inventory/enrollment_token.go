package inventory

import "time"

// EnrollmentToken permits agents to enroll. Only the hash of the token itself is stored.
type EnrollmentToken struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	MaxUses   int32      `json:"max_uses"`
	Uses      int32      `json:"uses"`
	Network   string     `json:"network,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// APIToken permits a program to use the API. Only the hash of the token itself is stored.
type APIToken struct {
	ID        string
	Name      string
	CreatedAt time.Time
	RevokedAt *time.Time
}
