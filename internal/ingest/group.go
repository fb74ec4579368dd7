package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/store/resolve"
)

// result is how a job ended.
type result struct {
	at  time.Time
	err error // concerns this machine only
}

// Run processes the queues until ctx ends. It finishes the groups that have begun; Apply returns
// ErrStopped for the jobs that are still in a queue.
func (g *Ingester) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	for _, l := range []*lane{g.cheap, g.expensive} {
		lanes.Go(func() { l.run(ctx, g.options.Workers, g.finish) })
	}
	lanes.Wait()
	close(g.stopped)
}

// finish processes a group and reports to the callers of its jobs. If the store rejects the group,
// each job is retried alone, so that the invalid data of one machine do not affect the others.
func (g *Ingester) finish(ctx context.Context, group []*job) {
	for len(group) > 0 {
		now, later := onePerRecord(group)
		err := g.process(ctx, now)
		if refused(err) && len(now) > 1 {
			for _, j := range now {
				if j.committed {
					j.answer(nil)
					continue
				}
				j.reset()
				g.prepare(j)
				j.answer(g.process(ctx, []*job{j}))
			}
		} else {
			for _, j := range now {
				if j.committed {
					j.answer(nil)
				} else {
					j.answer(err)
				}
			}
		}
		group = later
	}
}

// refused reports whether err is a rejection of invalid data, not a failure of the store.
func refused(err error) bool {
	var e *inventory.Error
	return errors.As(err, &e) && e.Code == inventory.CodeInvalid
}

// onePerRecord splits a group into now, with at most one job per record, and later. Two changes of
// one record cannot be relative to the same version.
func onePerRecord(group []*job) (now, later []*job) {
	seen := map[int64]bool{}
	for _, j := range group {
		if seen[j.obs.Record.ID] {
			later = append(later, j)
			continue
		}
		seen[j.obs.Record.ID] = true
		now = append(now, j)
	}
	return now, later
}

func (j *job) reset() { j.work = work{} }

func (j *job) answer(err error) {
	if err == nil {
		err = j.err
	}
	j.done <- err
}

// process runs every step for a group. It returns the errors of the whole group; an error of one
// machine is in its job's err, and the later steps skip that job.
func (g *Ingester) process(ctx context.Context, group []*job) error {
	for _, step := range []func(context.Context, []*job) error{
		g.intern, g.load, g.diff, g.observe, g.commit,
	} {
		running := slices.DeleteFunc(slices.Clone(group), func(j *job) bool { return j.err != nil })
		if err := step(ctx, running); err != nil {
			return err
		}
	}
	return nil
}

// intern sets the ids of all items of the group that are not in the cache.
func (g *Ingester) intern(ctx context.Context, group []*job) error {
	if err := g.enforceQuota(ctx, group); err != nil {
		return err
	}
	var unknown []*slot
	var unread []inventory.Item
	for _, j := range group {
		for _, w := range j.sections {
			for _, slots := range [][]slot{w.added, w.removed} {
				for i := range slots {
					if slots[i].ref.ID == 0 {
						unknown = append(unknown, &slots[i])
						unread = append(unread, slots[i].unknown.item)
					}
				}
			}
		}
	}
	if len(unread) == 0 {
		return nil
	}
	ids, err := g.store.Intern(ctx, unread)
	if err != nil {
		return err
	}
	g.chargeQuota(group)
	for i, s := range unknown {
		s.ref.ID = ids[i]
	}
	for _, j := range group {
		for _, w := range j.sections {
			if w.update != nil {
				g.known.remember(w.update.Section, w.added)
			}
		}
	}
	return nil
}

// commit commits the group. If it returns an error, some jobs may be committed; these have their
// results.
func (g *Ingester) commit(ctx context.Context, group []*job) error {
	if len(group) == 0 {
		return nil
	}
	updates := make([]resolve.Update, len(group))
	for i, j := range group {
		updates[i] = resolve.Update{
			Change: items.Change{Change: j.change, Held: j.held}, First: j.obs.Record.CI == "", Observed: j.observed,
		}
	}
	results, err := g.store.Commit(ctx, updates)
	for _, j := range group {
		committed, ok := results[j.obs.Record.ID]
		switch {
		case ok:
			j.at, j.assignment, j.committed = committed.At, committed.Assignment, true
		case err == nil:
			j.err = ErrFenced
		}
	}
	return err
}
