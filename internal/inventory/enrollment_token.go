package inventory

import "time"

// EnrollmentToken lets agents enroll. The token itself is not kept, only its hash.
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

// APIToken lets a program use the API. The token itself is not kept, only its hash.
type APIToken struct {
	ID        string
	Name      string
	CreatedAt time.Time
	RevokedAt *time.Time
}
