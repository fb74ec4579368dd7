package db

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
)

// Contains is the LIKE pattern of everything that contains a text.
func Contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

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

// UUIDPosition reads a position in a list that is sorted by a UUID; the zero value is the beginning.
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
