package cmdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/db"
)

// Device returns a device as it was known at an instant (zero: now), and its agents in the order of
// their enrollment. FindCI defines which device an id stands for.
func (s *Store) Device(
	ctx context.Context, id string, asOf time.Time,
) (inventory.Device, []inventory.DeviceAgent, error) {
	var (
		device inventory.Device
		agents []inventory.DeviceAgent
	)
	err := s.Read(ctx, func(tx pgx.Tx) error {
		page := inventory.Page{AsOf: asOf}
		current, err := deviceAt(ctx, tx, id, page)
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{"device": current, "as_of": db.Instant(page)}
		device, _, err = db.One[inventory.Device](ctx, tx, `
			select `+deviceColumns+`
			from ci_version d join ci c on c.id = d.ci_id `+versionSeen+`
			where d.ci_id = @device and `+versionAt(page), args)
		if err != nil {
			return fmt.Errorf("read device: %w", err)
		}
		agents, err = deviceAgents(ctx, tx, args)
		return err
	})
	return device, agents, err
}

func noDevice(id string) error { return db.NotFound("there is no device %s", id) }

func deviceAgents(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) ([]inventory.DeviceAgent, error) {
	return db.Collect[inventory.DeviceAgent](ctx, tx, "read agents of device", `
		select a.agent_id::text, case when `+db.IsNow+` then r.program else '' end as version,
		       r.created_at as enrolled_at, case when `+db.IsNow+` then seen.at end as last_seen,
		       case when a.revoked_at <= @as_of then a.revoked_at end as revoked_at,
		       case when a.revoked_at <= @as_of then coalesce(a.revoke_reason, '') else '' end as revoke_reason
		from assignment m
		join source_record r on r.id = m.record_id
		join agent a on a.record_id = r.id
		left join presence p on p.record_id = r.id
		cross join lateral (select greatest(r.seen_at, p.seen_at) as at) seen
		where m.ci_id = @device and `+memberAt+`
		order by r.id`, db.PlanForArguments, args)
}

// deviceAt returns the id of the device that an id stands for at the page's instant. Retired
// devices are not found.
func deviceAt(ctx context.Context, tx pgx.Tx, id string, page inventory.Page) (string, error) {
	found, err := FindCI(ctx, tx, id, page)
	if db.IsNotFound(err) || err == nil && (!found.Device || found.Retired) {
		return "", noDevice(id)
	}
	return found.ID, err
}
