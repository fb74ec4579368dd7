package db

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/musterhq/muster/internal/inventory"
)

// Invalid returns an inventory.Error with CodeInvalid.
func Invalid(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// Conflict returns an inventory.Error with CodeConflict.
func Conflict(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// NotFound returns an inventory.Error with CodeNotFound.
func NotFound(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

// IsNotFound reports whether an error is an inventory.Error with CodeNotFound.
func IsNotFound(err error) bool {
	var e *inventory.Error
	return errors.As(err, &e) && e.Code == inventory.CodeNotFound
}

// IsNoRows reports whether an error means that a query for one row found none.
func IsNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// IsTaken reports whether an error means that another row has the same key (SQLSTATE 23505,
// PostgreSQL appendix A: unique violation).
func IsTaken(err error) bool { return sqlState(err) == "23505" }

// IsUsed reports whether an error means that other rows refer to the row to delete (SQLSTATE 23503,
// PostgreSQL appendix A: foreign key violation).
func IsUsed(err error) bool { return sqlState(err) == "23503" }

// IsOutOfOrder reports whether a transaction ended a version that began after the transaction's own
// instant: another one committed it meanwhile. The transaction can be tried again, at a later
// instant.
func IsOutOfOrder(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.ConstraintName == "begins_before_end"
}

// IsDeadlock reports whether PostgreSQL ended the transaction to resolve a deadlock (SQLSTATE
// 40P01, PostgreSQL appendix A: deadlock detected). The transaction can be tried again.
func IsDeadlock(err error) bool { return sqlState(err) == "40P01" }

// DataError turns an error that the data causes into an inventory.Error with CodeInvalid, and
// returns any other error as it is, also IsOutOfOrder, which time causes. Classes of SQLSTATE,
// PostgreSQL appendix A: 22 data exception, 23 integrity violation, 54 limit exceeded.
func DataError(err error) error {
	state := sqlState(err)
	if len(state) == 5 && !IsOutOfOrder(err) && slices.Contains([]string{"22", "23", "54"}, state[:2]) {
		return fmt.Errorf("%w: %w", Invalid("the database rejected the data"), err)
	}
	return err
}

// sqlState returns the SQLSTATE of an error of the database, or "".
func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return ""
	}
	return pgErr.Code
}

// OrElse returns err, or otherwise if err is nil.
func OrElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
