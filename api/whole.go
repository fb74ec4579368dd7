package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/musterhq/muster/internal/inventory"
)

// whole returns the listing of a short list that the store returns at once. The key of a row is
// unique and defines the order.
func whole[T any](paging Paging, name string, read func(context.Context) ([]T, error), key func(T) string) listing[T] {
	return listing[T]{
		params: &ListParams{Paging: paging}, name: name, table: tableOf[T](),
		read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[T]) error {
			rows, err := read(ctx)
			if err != nil {
				return err
			}
			slices.SortFunc(rows, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
			for _, row := range rows {
				if len(page.After) > 0 && key(row) <= page.After[0] {
					continue
				}
				if err := visit(row, inventory.Position{key(row)}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
