package db

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/musterhq/muster/internal/inventory"
)

func IsNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// IsTaken reports whether an error says that a row with the same key is there (SQLSTATE 23505, PostgreSQL appendix A:
// unique violation).
func IsTaken(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "23505"
}

// IsDeadlock reports whether PostgreSQL ended the transaction to resolve a deadlock (SQLSTATE 40P01, PostgreSQL appendix A:
// deadlock detected). The transaction can be tried again.
func IsDeadlock(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "40P01"
}

// IsUsed reports whether an error says that other rows refer to the one that was to go (SQLSTATE 23503, PostgreSQL
// appendix A: foreign key violation).
func IsUsed(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "23503"
}

func Invalid(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

func Conflict(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// OrElse gives the error that happened, or else the one that follows from what was found.
func OrElse(err, follows error) error {
	if err != nil {
		return err
	}
	return follows
}
