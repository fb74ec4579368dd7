package db

import (
	"strconv"
	"strings"

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
