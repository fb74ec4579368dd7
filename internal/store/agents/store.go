// Package agents stores who may report: API tokens, enrollment tokens, the certificate authority,
// the source records of agents with their ratchet, and when each was last seen. It does not decide
// which CI a record is assigned to. Start reading at Store.Enroll and Store.Record.
package agents

import "github.com/musterhq/muster/internal/store/db"

// Store reads and writes agents and tokens. It is safe for concurrent use.
type Store struct{ *db.DB }

// New returns a store over a database.
func New(database *db.DB) *Store { return &Store{database} }
