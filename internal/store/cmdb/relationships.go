package cmdb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// ListRelationships lists the relationships between CIs at the page's instant; with q.Past, also
// those that had ended by then. Of several of one type between the same two CIs, it lists the
// first. A position is the id.
func (s *Store) ListRelationships(
	ctx context.Context, q inventory.RelationshipQuery, visit inventory.Visit[inventory.Relationship],
) error {
	after := int64(0)
	if q.After != nil {
		var err error
		if after, err = db.IDPosition(q.After); err != nil {
			return err
		}
	}
	return s.List(ctx, q.Page, func(tx pgx.Tx) error {
		if err := db.JoinAsWritten(ctx, tx); err != nil {
			return err
		}
		args := pgx.NamedArgs{"as_of": db.Instant(q.Page), "after": after, "limit": db.Limit(q.Page)}
		where := []string{`r.id > @after`}
		if q.Type != "" {
			if _, known, err := FindRelationshipType(ctx, tx, q.Type); err != nil || !known {
				return db.OrElse(err, db.Invalid("there is no relationship type %s", q.Type))
			}
			args["type"] = q.Type
			where = append(where, `r.type = @type`)
		}
		if q.CI != "" {
			records, err := recordsAt(ctx, tx, q.CI, q.Page)
			if err != nil {
				return err
			}
			args["records"] = records
			where = append(where, `(r.from_record = any(@records) or r.to_record = any(@records))`)
		}
		sql := relationshipsSQL(q.Past, where)
		return db.ForEach(ctx, tx, "list relationships", sql, args, func(row relationshipRow) error {
			relationship, err := row.relationship()
			if err != nil {
				return err
			}
			return visit(relationship, inventory.Position{strconv.FormatInt(row.ID, 10)})
		})
	})
}

// relationshipsSQL returns the query for the relationships r that meet conditions, in the order of
// their ids. A relationship is left out if another one that began before it is valid at the
// instant; with past, if the other one ended at the same time or later.
func relationshipsSQL(past bool, where []string) string {
	valid, covers := atPage("r"), atPage("x")
	if past {
		valid, covers = `r.valid_from <= @as_of`, `(x.valid_to >= r.valid_to or x.valid_to > @as_of)`
	}
	repeated := `(x.valid_from, x.id) < (r.valid_from, r.id) and ` + covers
	where = append(where, valid, relationshipVisible, notRepeated(atPage, repeated))
	return `
		select ` + relationshipColumns + `
		from ` + relationshipTables + `
		where ` + strings.Join(where, ` and `) + `
		order by r.id
		limit @limit`
}

// recordsAt lists the source records of the CI that an id stands for at the page's instant.
func recordsAt(ctx context.Context, tx pgx.Tx, ci string, page inventory.Page) ([]int64, error) {
	found, err := FindCI(ctx, tx, ci, page)
	if err != nil {
		return nil, err
	}
	return db.Column[int64](ctx, tx, "read records of CI", `
		select m.record_id from assignment m where m.ci_id = @ci and `+memberAt+` order by m.record_id`,
		pgx.NamedArgs{"ci": found.ID, "as_of": db.Instant(page)})
}

// CreateRelationship declares a relationship between two CIs from now on. It is stored for the
// earliest record of each CI, so that it follows these records when CIs are merged or split. If the
// relationship already exists, it returns an inventory.Error with CodeConflict.
func (s *Store) CreateRelationship(
	ctx context.Context, r inventory.NewRelationship, actor inventory.Actor,
) (inventory.Relationship, error) {
	var created inventory.Relationship
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		if err := lockRelationships(ctx, tx); err != nil {
			return err
		}
		from, to, err := relatable(ctx, tx, r)
		if err != nil {
			return err
		}
		if r.Attributes == nil {
			r.Attributes = map[string]any{}
		}
		var id int64
		err = tx.QueryRow(ctx, `
			insert into relationship (type, from_record, to_record, attributes, actor, reason, valid_from)
			values ($1, $2, $3, $4, $5, $6, clock_timestamp())
			returning id`, r.Type, from, to, r.Attributes, actor.Name, actor.Reason).Scan(&id)
		if err != nil {
			return fmt.Errorf("create relationship: %w", err)
		}
		created, err = relationshipNow(ctx, tx, id)
		return err
	})
	return created, err
}

// lockRelationships takes the advisory lock for declaring relationships, so that no two
// transactions declare the same one. It also assigns the transaction an id before it takes the time
// of the change: WaitUntilVisible needs it.
func lockRelationships(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('muster relationships')), pg_current_xact_id()`)
	if err != nil {
		return fmt.Errorf("lock relationships: %w", err)
	}
	return nil
}

// relatable returns the records of the two ends of a new relationship, or an inventory.Error with
// the reason why there cannot be one.
func relatable(ctx context.Context, tx pgx.Tx, r inventory.NewRelationship) (from, to int64, err error) {
	t, found, err := FindRelationshipType(ctx, tx, r.Type)
	if err != nil || !found {
		return 0, 0, db.OrElse(err, db.Invalid("there is no relationship type %s", r.Type))
	}
	tree, err := ReadClassTree(ctx, tx)
	if err != nil {
		return 0, 0, err
	}
	fromCI, from, err := relationshipEnd(ctx, tx, tree, r.From, t.Name, t.FromClass)
	if err != nil {
		return 0, 0, err
	}
	toCI, to, err := relationshipEnd(ctx, tx, tree, r.To, t.Name, t.ToClass)
	if err != nil {
		return 0, 0, err
	}
	if fromCI == toCI {
		return 0, 0, db.Invalid("%s cannot have a relationship with itself", fromCI)
	}
	var existing int64
	err = tx.QueryRow(ctx, `
		select r.id
		from relationship r`+relationshipEnds(atPage)+`
		where f.ci_id = @from and t.ci_id = @to and r.type = @type and `+atPage("r")+` and `+relationshipVisible+`
		order by r.valid_from, r.id
		limit 1`, pgx.NamedArgs{"from": fromCI, "to": toCI, "type": r.Type, "as_of": db.EndOfTime}).Scan(&existing)
	if db.IsNoRows(err) {
		return from, to, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("find relationship: %w", err)
	}
	return 0, 0, db.Conflict("relationship %d already exists: %s %s %s", existing, fromCI, t.Verb, toCI)
}

// relationshipEnd returns the CI that an id stands for and its record for declared relationships:
// the earliest one whose default CI it is.
func relationshipEnd(
	ctx context.Context, tx pgx.Tx, tree ClassTree, id, relationshipType, class string,
) (ci string, record int64, err error) {
	found, err := FindCI(ctx, tx, id, inventory.Page{})
	if err != nil {
		return "", 0, err
	}
	if found.Retired {
		return "", 0, db.Conflict("%s is retired", found.ID)
	}
	above, err := tree.Above(found.Class)
	if err != nil {
		return "", 0, err
	}
	if !slices.Contains(above, class) {
		return "", 0, db.Invalid("%s is a %s: this end of %s is for a %s",
			found.ID, found.Class, relationshipType, class)
	}
	err = tx.QueryRow(ctx, `
		select m.record_id
		from assignment m join source_record r on r.id = m.record_id
		where m.ci_id = $1 and m.valid_to = 'infinity'
		order by r.default_ci <> m.ci_id, r.created_at, r.id
		limit 1`, found.ID).Scan(&record)
	if db.IsNoRows(err) {
		return "", 0, db.Conflict("no source record is assigned to %s", found.ID)
	}
	if err != nil {
		return "", 0, fmt.Errorf("find record of CI: %w", err)
	}
	return found.ID, record, nil
}

// relationshipNow reads a relationship in its current state.
func relationshipNow(ctx context.Context, tx pgx.Tx, id int64) (inventory.Relationship, error) {
	row, found, err := db.One[relationshipRow](ctx, tx, `
		select `+relationshipColumns+` from `+relationshipTables+` where r.id = @id and `+relationshipVisible,
		pgx.NamedArgs{"id": id, "as_of": db.EndOfTime})
	if err != nil {
		return inventory.Relationship{}, fmt.Errorf("read relationship: %w", err)
	}
	if !found {
		return inventory.Relationship{}, db.NotFound("there is no relationship %d", id)
	}
	return row.relationship()
}

// EndRelationship ends a declared relationship now. If it has already ended, or if a source
// observed it, it returns an inventory.Error with CodeConflict: an observed relationship ends when
// it is no longer observed.
func (s *Store) EndRelationship(ctx context.Context, id int64, actor inventory.Actor) (inventory.Relationship, error) {
	var ended inventory.Relationship
	err := s.InTx(ctx, func(tx pgx.Tx) error {
		if err := lockRelationships(ctx, tx); err != nil {
			return err
		}
		var observed, past bool
		err := tx.QueryRow(ctx, `
			select observer is not null, valid_to < 'infinity' from relationship where id = $1`, id).
			Scan(&observed, &past)
		switch {
		case db.IsNoRows(err):
			return db.NotFound("there is no relationship %d", id)
		case err != nil:
			return fmt.Errorf("find relationship: %w", err)
		case past:
			return db.Conflict("relationship %d has already ended", id)
		case observed:
			return db.Conflict("relationship %d is observed: it ends when it is no longer observed", id)
		}
		_, err = tx.Exec(ctx, `
			update relationship
			set valid_to = greatest(clock_timestamp(), valid_from + interval '1 microsecond'),
				ended_by = $2, end_reason = $3
			where id = $1`, id, actor.Name, actor.Reason)
		if err != nil {
			return fmt.Errorf("end relationship: %w", err)
		}
		ended, err = relationshipNow(ctx, tx, id)
		return err
	})
	return ended, err
}
