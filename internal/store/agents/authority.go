package agents

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/store/db"
)

// Authority is the stored certificate authority of the agents. Its key is encrypted with the master
// key.
type Authority struct {
	Certificate []byte // DER
	SealedKey   []byte
}

// Authority returns the certificate authority of the database. If there is none, it stores the one
// that create returns. An advisory lock makes collectors that start at the same time use the same
// one.
func (s *Store) Authority(ctx context.Context, create func() (Authority, error)) (Authority, error) {
	var a Authority
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster certificate authority'))`)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `select certificate, sealed_key from certificate_authority order by id desc limit 1`).
			Scan(&a.Certificate, &a.SealedKey)
		if !db.IsNoRows(err) {
			return err
		}
		if a, err = create(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into certificate_authority (certificate, sealed_key) values ($1, $2)`,
			a.Certificate, a.SealedKey)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("read certificate authority: %w", err)
	}
	return a, nil
}
