package agents

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Authority is the agents' certificate authority as it rests: the key is sealed under the master key.
type Authority struct {
	Certificate []byte // DER
	SealedKey   []byte
}

// Authority gives the certificate authority of the database, making it with create where there is none. Of
// collectors that start together one makes it and the others get the same.
func (s *Store) Authority(ctx context.Context, create func() (Authority, error)) (Authority, error) {
	var a Authority
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster certificate authority'))`); err != nil {
			return fmt.Errorf("lock certificate authority: %w", err)
		}
		err := tx.QueryRow(ctx, `select certificate, sealed_key from certificate_authority order by id desc limit 1`).
			Scan(&a.Certificate, &a.SealedKey)
		if !errors.Is(err, pgx.ErrNoRows) {
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
		return a, fmt.Errorf("certificate authority: %w", err)
	}
	return a, nil
}
