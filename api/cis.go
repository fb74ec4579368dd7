package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

type ciStore interface {
	ListCIs(ctx context.Context, q inventory.CIQuery, visit inventory.Visit[inventory.CI]) error
	CI(ctx context.Context, id string, asOf time.Time) (inventory.CIDetails, error)
	CreateCI(ctx context.Context, c inventory.NewCI, actor inventory.Actor) (id string, err error)
	DeclareCI(ctx context.Context, id string, d inventory.Declaration, actor inventory.Actor) error
	RetireCI(ctx context.Context, id string, actor inventory.Actor) error
	RestoreCI(ctx context.Context, id string, actor inventory.Actor) error
	LockAttribute(ctx context.Context, id string, lock inventory.Lock, actor inventory.Actor) error
	ReleaseLock(ctx context.Context, id, attribute string, actor inventory.Actor) error
}

// CIsInput asks for a list of CIs.
type CIsInput struct {
	ListParams

	Class   string `query:"class" maxLength:"63" example:"computer" doc:"Only CIs of this class and of those below it."`
	Search  string `query:"search" maxLength:"200" doc:"A substring of the name, serial number or model, case-insensitive."`
	Filter  string `query:"filter" maxLength:"4096" example:"lifecycle_state = in_use AND cost >= 1000 AND owner:*" doc:"Conditions joined by AND. A condition is an attribute, class, name, first_seen or last_seen; one of = != < <= > >= and : (contains, case-insensitive; with the value *: is known); and a value. Put a value with spaces in quotation marks."`
	OrderBy string `query:"order_by" maxLength:"68" pattern:"^[a-z][a-z0-9_]*( (asc|desc))?$" patternDescription:"an attribute, name, class or first_seen, and desc for descending order" default:"name" example:"warranty_end desc" doc:"An attribute, name, class or first_seen, and desc for descending order."`
	Retired bool   `query:"retired" doc:"Include retired CIs."`
}

const ciTag = "CIs"

func (s *server) registerCIs() {
	op := s.operation(http.MethodGet, "/api/v1/cis", "list-cis", ciTag, "List CIs")
	op.Description = "In CSV every attribute of the class is a column, those of the classes above it included. " +
		"Without class, only the attributes that every CI has are columns."
	handleList(s, op, func(ctx context.Context, in *CIsInput) (listing[inventory.CI], error) {
		filter, err := parseFilter(in.Filter)
		if err != nil {
			return listing[inventory.CI]{}, err
		}
		column, direction, _ := strings.Cut(in.OrderBy, " ")
		query := inventory.CIQuery{
			Class: in.Class, Search: in.Search, Filter: filter, OrderBy: column, Descending: direction == "desc",
			Retired: in.Retired,
		}
		list := listing[inventory.CI]{
			params: &in.ListParams, name: "cis",
			read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.CI]) error {
				query.Page = page
				return s.Store.ListCIs(ctx, query, visit)
			},
		}
		if in.format() == formatCSV {
			list.table, err = s.ciTable(ctx, in.Class, in.Retired)
		}
		return list, err
	})
}

// ciTable returns the CSV table of a class: the columns of every CI, then the attributes by name.
func (s *server) ciTable(ctx context.Context, class string, retired bool) (table[inventory.CI], error) {
	if class == "" {
		class = inventory.RootClass
	}
	attributes, err := s.Store.Attributes(ctx, class)
	if err != nil {
		return table[inventory.CI]{}, err
	}
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = a.Name
	}
	slices.Sort(names)
	columns := []string{"id", "class", "name", "first_seen", "last_seen"}
	if retired {
		columns = append(columns, "retired_at", "retired_by", "retire_reason")
	}
	return table[inventory.CI]{
		columns: append(columns, names...),
		cells: func(cells []string, ci inventory.CI) ([]string, error) {
			cells = append(cells, ci.ID, ci.Class, escapeFormula(ci.Name),
				timeCell(&ci.FirstSeen), timeCell(ci.LastSeen))
			if retired {
				cells = append(cells, timeCell(ci.RetiredAt),
					escapeFormula(ci.RetiredBy), escapeFormula(ci.RetireReason))
			}
			return attributeCells(cells, ci.Attributes, names)
		},
	}, nil
}

func attributeCells(cells []string, attributes inventory.Attributes, names []string) ([]string, error) {
	for _, name := range names {
		value, known := attributes[name]
		if !known {
			cells = append(cells, "")
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		cells = append(cells, jsonCell(encoded))
	}
	return cells, nil
}

func timeCell(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
