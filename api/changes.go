package api

import (
	"context"
	"net/http"

	"github.com/musterhq/muster/internal/inventory"
)

type changeStore interface {
	ListChanges(ctx context.Context, q inventory.FeedQuery, visit inventory.Visit[inventory.FeedChange]) error
}

// ChangeParams select changes.
type ChangeParams struct {
	Since  Moment `query:"since" format:"date-time" doc:"Only changes at this instant (RFC 3339) or later."`
	Until  Moment `query:"until" format:"date-time" doc:"Only changes before this instant (RFC 3339)."`
	Type   string `query:"type" enum:"item,attribute,ci,relationship,identity" doc:"Only changes of this type."`
	Source string `query:"source" maxLength:"200" example:"agent" doc:"Only changes by this source."`
}

// ChangesInput asks for the changes of all CIs.
type ChangesInput struct {
	ListParams
	ChangeParams

	Class string `query:"class" maxLength:"63" example:"computer" doc:"Only changes of CIs of this class and of the classes below it."`
}

// CIChangesInput asks for the changes of a CI.
type CIChangesInput struct {
	CIPath
	ListParams
	ChangeParams
}

func (s *server) registerChanges() {
	all := s.operation(http.MethodGet, "/api/v1/changes", "list-changes", "Changes", "List changes")
	all.Description = "The oldest change first: items, attributes, CIs, relationships and identity. To follow the " +
		"changes, ask again " +
		"with page_token set to the cursor of the previous answer: no change is repeated or missed. " +
		"E.g. ?since=2026-01-31T00:00:00Z&class=computer&type=item."
	handleList(s, all, func(_ context.Context, in *ChangesInput) (listing[inventory.FeedChange], error) {
		return s.listChanges(&in.ListParams, in.ChangeParams, inventory.FeedQuery{Class: in.Class}), nil
	})

	ofCI := s.operation(
		http.MethodGet, "/api/v1/cis/{id}/changes", "list-ci-changes", "Changes", "List the changes of a CI",
	)
	ofCI.Description = "The same as /api/v1/changes, for one CI."
	handleList(s, ofCI, func(_ context.Context, in *CIChangesInput) (listing[inventory.FeedChange], error) {
		return s.listChanges(&in.ListParams, in.ChangeParams, inventory.FeedQuery{CI: in.ID}), nil
	})
}

func (s *server) listChanges(
	params *ListParams, which ChangeParams, query inventory.FeedQuery,
) listing[inventory.FeedChange] {
	query.Since, query.Until, query.Type, query.Source = which.Since.Time, which.Until.Time, which.Type, which.Source
	return listing[inventory.FeedChange]{
		params: params, name: "changes", feed: true, table: tableOf[inventory.FeedChange](),
		read: func(ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.FeedChange]) error {
			query.Page = page
			return s.Store.ListChanges(ctx, query, func(row inventory.FeedChange, at inventory.Position) error {
				if err := s.nameItemChange(&row); err != nil {
					return err
				}
				return visit(row, at)
			})
		},
	}
}

// nameItemChange sets the name and the action of the change of an item.
func (s *server) nameItemChange(row *inventory.FeedChange) error {
	if row.Type != "item" {
		return nil
	}
	before, after, named, err := factsOfChange(row.Old, row.New)
	if err != nil {
		return err
	}
	if row.Subject == softwareSection {
		row.Name, row.Action = named.text("name"), s.softwareChange(named.text("source"), before, after)
		return nil
	}
	row.Name, row.Action = itemName(named, s.sections[row.Subject]), itemChange(before, after)
	return nil
}
