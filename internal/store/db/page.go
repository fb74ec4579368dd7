package db

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
)

// EndOfTime is the argument @as_of of a query for the current state. It is later than every instant
// in the database but infinity.
var EndOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// IsNow is the SQL condition that a query is for the current state (@as_of is EndOfTime). Columns
// without a history, such as last_seen, are null in a query for the past: the answer for a past
// instant never changes.
const IsNow = `@as_of = '9999-12-31 00:00:00+00'::timestamptz`

// Instant returns the argument @as_of for a page.
func Instant(page inventory.Page) time.Time {
	if page.AsOf.IsZero() {
		return EndOfTime
	}
	return page.AsOf
}

// Limit returns the SQL limit of a page in rows; nil is no limit.
func Limit(page inventory.Page) *int {
	if page.Limit == 0 {
		return nil
	}
	return &page.Limit
}

// ErrPosition reports a page token that does not belong to the list.
var ErrPosition = &inventory.Error{Code: inventory.CodeInvalid, Message: "the page token does not belong to this list"}

// IDPosition returns the id that is the only element of a position.
func IDPosition(p inventory.Position) (int64, error) {
	if len(p) != 1 {
		return 0, ErrPosition
	}
	id, err := strconv.ParseInt(p[0], 10, 64)
	if err != nil {
		return 0, ErrPosition
	}
	return id, nil
}

// UUIDPosition returns the UUID that is the only element of a position; a nil position, the
// beginning of the list, is uuid.Nil.
func UUIDPosition(p inventory.Position) (uuid.UUID, error) {
	if p == nil {
		return uuid.Nil, nil
	}
	if len(p) != 1 {
		return uuid.Nil, ErrPosition
	}
	id, err := uuid.Parse(p[0])
	if err != nil {
		return uuid.Nil, ErrPosition
	}
	return id, nil
}

// Contains returns the LIKE pattern of all strings that contain a text.
func Contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
