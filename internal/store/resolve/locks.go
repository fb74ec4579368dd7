package resolve

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/cmdb"
	"github.com/musterhq/muster/internal/store/db"
)

// LockAttribute makes a value win over all sources until the lock runs out or is released. It
// replaces an earlier lock of the attribute.
func (s *Store) LockAttribute(ctx context.Context, id string, lock inventory.Lock, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		ci, class, err := r.currentCI(ctx, id)
		if err != nil {
			return err
		}
		value, err := r.checkLock(ctx, ci, class, lock)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode value: %w", err)
		}
		record, err := r.manualRecord(ctx, ci, r.baseClassOf(class))
		if err != nil {
			return err
		}
		if err := r.ensureDeclared(ctx, record); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		batch.Queue(releaseLock, record, lock.Attribute, r.at)
		batch.Queue(`
			insert into attribute_lock (id, record_id, attribute, value, reason, actor, locked_at, until)
			values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8)`,
			uuid.New(), record, lock.Attribute, string(encoded), actor.Reason, actor.Name, r.at, lock.Until)
		r.touched.add(ci)
		return r.send(ctx, "lock attribute", batch)
	})
}

// checkLock returns the value of a lock in its stored form.
func (r *resolution) checkLock(ctx context.Context, ci, class string, lock inventory.Lock) (any, error) {
	text, isText := lock.Value.(string)
	switch lock.Attribute {
	case inventory.AttributeName:
		if !isText || text == "" {
			return nil, db.Invalid("a name is text, and not empty")
		}
		return text, nil
	case inventory.AttributeClass:
		if !isText || text == "" {
			return nil, db.Invalid("a class is called by its name")
		}
		return text, r.checkClass(ctx, ci, text)
	default:
		checked, err := cmdb.CheckAttributes(ctx, r.tx, class, map[string]any{lock.Attribute: lock.Value})
		return checked[lock.Attribute], err
	}
}

const releaseLock = `
	update attribute_lock set released_at = $3
	where record_id = $1 and attribute = $2 and released_at is null`

// ensureDeclared assigns the record of what people declare, also if they declared nothing yet.
func (r *resolution) ensureDeclared(ctx context.Context, record int64) error {
	class, attributes, err := r.declared(ctx, record)
	if err != nil {
		return err
	}
	_, err = r.declare(ctx, record, class, attributes)
	return err
}

// ReleaseLock releases a lock, so that the value of the best source counts again. It returns an
// inventory.Error with CodeNotFound if there is no such lock.
func (s *Store) ReleaseLock(ctx context.Context, id, attribute string, actor inventory.Actor) error {
	return s.resolve(ctx, actor, func(ctx context.Context, r *resolution) error {
		ci, _, err := r.currentCI(ctx, id)
		if err != nil {
			return err
		}
		done, err := r.tx.Exec(ctx, `
			update attribute_lock l set released_at = $3
			from assignment m
			where m.record_id = l.record_id and m.valid_to = 'infinity' and m.ci_id = $1
				and l.attribute = $2 and l.released_at is null`, ci, attribute, r.at)
		if err != nil {
			return fmt.Errorf("release lock: %w", err)
		}
		if done.RowsAffected() == 0 {
			return db.NotFound("%s is not locked", attribute)
		}
		r.touched.add(ci)
		return nil
	})
}

// ExpireLocks releases the locks that ran out and returns their number.
func (s *Store) ExpireLocks(ctx context.Context) (int, error) {
	var due bool
	err := s.Pool.QueryRow(ctx, `
		select exists (select from attribute_lock where until <= clock_timestamp() and released_at is null)`).Scan(&due)
	if err != nil {
		return 0, fmt.Errorf("find locks that ran out: %w", err)
	}
	if !due {
		return 0, nil
	}
	var expired int
	err = s.resolve(ctx, inventory.Actor{}, func(ctx context.Context, r *resolution) error {
		cis, err := db.Column[string](ctx, r.tx, "expire locks", `
			update attribute_lock l set released_at = $1
			from assignment m
			where m.record_id = l.record_id and m.valid_to = 'infinity' and l.until <= $1 and l.released_at is null
			returning m.ci_id::text`, r.at)
		r.touched.add(cis...)
		expired = len(cis)
		return err
	})
	return expired, err
}
