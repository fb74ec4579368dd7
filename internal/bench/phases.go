package main

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/wire"
)

// measureFleet takes the fleet through its life.
func (b *bench) measureFleet(ctx context.Context) error {
	for i := range b.machines {
		b.clients = append(b.clients, &client{machine: i, wave: firstWave(i)})
	}
	for _, part := range []func(context.Context) error{
		b.measureEnrollment, b.measureHandshake, b.measureFirst, b.measureUnchanged, b.measureAgain, b.measureUpgrades,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// phase lets machines do something and gives what it cost per machine, with all that follows from it: counts that are folded
// later, entries of indexes that were put off, and where machines check in, who was seen.
func (b *bench) phase(
	ctx context.Context, name string, machines []*client, checksIn bool, do func(context.Context, *client) error,
) (expense, error) {
	start, err := b.read(ctx)
	if err != nil {
		return expense{}, err
	}
	b.progress.stepf(len(machines), "%s: %d machines", name, len(machines))
	if err := b.each(ctx, machines, do); err != nil {
		return expense{}, fmt.Errorf("%s: %w; the collector says: %s", name, err, b.collector.lastWords())
	}
	due := 0
	if checksIn {
		due = len(machines)
	}
	if err := b.settle(ctx, start.at, due); err != nil {
		return expense{}, err
	}
	tidying, err := b.database.tidy(ctx)
	if err != nil {
		return expense{}, err
	}
	spent, took, err := b.since(ctx, start)
	if err != nil {
		return expense{}, err
	}
	spent = spent.less(b.idle.times(took.Seconds()))
	spent.Maintenance += float64(tidying) / float64(time.Millisecond)
	spent = spent.times(1 / float64(len(machines)))
	b.report.Phases = append(b.report.Phases, phase{Name: name, expense: spent})
	return spent, nil
}

// settle waits until what the collector puts off is done: counts are folded, and as many machines as are due were seen.
func (b *bench) settle(ctx context.Context, since time.Time, due int) error {
	err := b.collector.until(ctx, func() (bool, error) {
		if folded, err := b.database.folded(ctx); err != nil || !folded || due == 0 {
			return folded, err
		}
		seen, err := b.database.seen(ctx, since)
		return seen >= due, err
	})
	if err != nil {
		return err
	}
	return b.quiet(ctx, b.collector.pid())
}

func (b *bench) measureEnrollment(ctx context.Context) error {
	before, err := b.extent(ctx)
	if err != nil {
		return err
	}
	spent, err := b.phase(ctx, "enrollment", b.clients, false, func(ctx context.Context, c *client) error {
		return c.enroll(ctx, b.collector)
	})
	if err != nil {
		return err
	}
	b.report.add("enroll", spent.cpu(), "")
	after, err := b.extent(ctx)
	b.enrolled = after.since(before, len(b.clients))
	return err
}

func (b *bench) measureHandshake(ctx context.Context) (err error) {
	b.handshook, err = b.phase(ctx, "TLS handshake", b.clients, false, func(ctx context.Context, c *client) error {
		return c.handshake(ctx, b.collector.grpcAddr)
	})
	if err == nil {
		b.report.add("handshake", b.handshook.cpu(), "0.57 on the machine that the targets were set on: a measure of how busy this one is")
	}
	return err
}

// measureFirst halves the fleet: while the catalogs of a new collector fill, every machine brings much that was never
// seen. The targets are those of a fleet that is there already.
func (b *bench) measureFirst(ctx context.Context) error {
	send := func(ctx context.Context, c *client) error { return b.sendFirst(ctx, c, len(wire.Sections())) }
	before, err := b.extent(ctx)
	if err != nil {
		return err
	}
	half := (len(b.clients) + 1) / 2
	for _, part := range []struct {
		name, id, size string
		machines       []*client
	}{
		{"first inventory, first half", "first_filling", "size_filling", b.clients[:half]},
		{"first inventory, second half", "first", "size", b.clients[half:]},
	} {
		if len(part.machines) == 0 {
			continue
		}
		spent, err := b.phase(ctx, part.name, part.machines, true, send)
		if err != nil {
			return err
		}
		b.report.add(part.id, spent.less(b.handshook).cpu(), shares(spent.less(b.handshook)))
		after, err := b.extent(ctx)
		if err != nil {
			return err
		}
		grown := after.since(before, len(part.machines)).plus(b.enrolled)
		b.report.add(part.size, grown.kB(), "")
		b.report.Tables = grown.list()
		before = after
	}
	return b.countDevices(ctx)
}

// countDevices makes sure that each machine became a device of its own: what others cost would say nothing.
func (b *bench) countDevices(ctx context.Context) error {
	devices, err := b.database.devices(ctx)
	if err == nil && devices != len(b.clients) {
		err = fmt.Errorf("%d machines are %d devices", len(b.clients), devices)
	}
	return err
}

// sendFirst connects a machine and has it send the first sections of its inventory, which stay its inventory.
func (b *bench) sendFirst(ctx context.Context, c *client, sections int) error {
	inventory, err := b.fleet.inventoryOf(c.machine, sections)
	if err != nil {
		return err
	}
	var changes []change
	for _, s := range inventory {
		changes = append(changes, change{section: s.section, root: s.root, added: s.items})
		c.hold(s.section, s.root)
	}
	if err := c.open(b.collector.grpcAddr); err != nil {
		return err
	}
	return c.checkIn(ctx, changes)
}

// shares says who spends the CPU.
func shares(e expense) string {
	return fmt.Sprintf("collector %.3f, PostgreSQL %.3f; %.2f statements", e.Collector, e.Sessions+e.Maintenance, e.Statements)
}

// measureUnchanged looks at the WAL before anything that is put off is done: the flush of who was seen goes into an
// unlogged table, but its commit is a record in the WAL, a few dozen bytes for a thousand machines. Where a flush or
// something else of the background falls into the look, it is done again.
func (b *bench) measureUnchanged(ctx context.Context) error {
	const looks = 3
	unchanged := func(ctx context.Context, c *client) error { return c.checkIn(ctx, nil) }
	var wal, before, after int64
	spent, err := b.phase(ctx, "unchanged", b.clients, true, unchanged)
	if err != nil {
		return err
	}
	b.report.add("unchanged", spent.cpu(), shares(spent))
	for look := range looks {
		if before, err = b.database.position(ctx); err != nil {
			return err
		}
		if err := b.each(ctx, b.clients, unchanged); err != nil {
			return err
		}
		if after, err = b.database.position(ctx); err != nil {
			return err
		}
		if wal = after - before; wal == 0 || look == looks-1 {
			break
		}
	}
	b.report.add("unchanged_wal", float64(wal)/float64(len(b.clients)),
		fmt.Sprintf("while %d check in; the flush of last-seen is not in it: %.2f with it", len(b.clients), spent.WALBytes))
	return nil
}

// measureAgain has every machine come back on a new connection with nothing to say.
func (b *bench) measureAgain(ctx context.Context) error {
	b.hangUp()
	if err := b.settle(ctx, time.Now(), 0); err != nil {
		return err
	}
	spent, err := b.phase(ctx, "unchanged, new connection", b.clients, true, func(ctx context.Context, c *client) error {
		if err := c.open(b.collector.grpcAddr); err != nil {
			return err
		}
		return c.checkIn(ctx, nil)
	})
	if err == nil {
		b.report.add("unchanged_again", spent.less(b.handshook).cpu(), shares(spent.less(b.handshook)))
	}
	return err
}

// measureUpgrades upgrades the fleet twice: as it is, and when every page's first change costs the page in the WAL.
func (b *bench) measureUpgrades(ctx context.Context) error {
	upgrade := func(ctx context.Context, c *client) error {
		c.wave++
		news := b.fleet.upgrade(c.wave, c.rootOf(b.fleet.software.Name), time.Now())
		c.hold(news.section, news.root)
		return c.checkIn(ctx, []change{news})
	}
	before, err := b.extent(ctx)
	if err != nil {
		return err
	}
	spent, err := b.phase(ctx, "20 upgrades", b.clients, true, upgrade)
	if err != nil {
		return err
	}
	b.report.add("upgrade", spent.cpu(), shares(spent))
	after, err := b.extent(ctx)
	if err != nil {
		return err
	}
	b.report.add("size_upgrade", after.since(before, len(b.clients)).kB(), "its history, and room that the next upgrades use")
	if err := b.database.exec(ctx, `checkpoint`); err != nil {
		return err
	}
	spent, err = b.phase(ctx, "20 upgrades after a checkpoint", b.clients, true, upgrade)
	if err == nil {
		b.report.add("upgrade_cold", spent.cpu(), shares(spent))
	}
	return err
}
