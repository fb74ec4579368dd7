package ingest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// quota limits how many items each record adds to the catalog in a day. All machines share the
// catalog, and an agent that makes up items would fill the disk. It counts since the start of this
// collector, and it counts every item that was not in the cache: a record that is over the quota by
// that count is checked against the store.
type quota struct {
	perDay int

	mu   sync.Mutex
	now  func() time.Time
	used *lru.Cache[int64, *usage]
}

// usage is what a record added since the beginning of its day.
type usage struct {
	began time.Time
	items int
	told  bool // the incident of this day is recorded
}

// Defaults of a quota.
const (
	newItemsPerDay = 200_000 // the largest section
	quotaDay       = 24 * time.Hour
	quotaRecords   = 1 << 16 // that are remembered: those that added items last
)

func newQuota(perDay int) *quota {
	used, err := lru.New[int64, *usage](quotaRecords)
	if err != nil {
		panic(err) // only a size below one is an error
	}
	return &quota{perDay: perDay, now: time.Now, used: used}
}

// of returns the usage of a record today. The caller holds mu.
func (q *quota) of(record int64) *usage {
	u, known := q.used.Get(record)
	if !known || q.now().Sub(u.began) >= quotaDay {
		u = &usage{began: q.now()}
		q.used.Add(record, u)
	}
	return u
}

// left returns how many items a record may add today.
func (q *quota) left(record int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(q.perDay-q.of(record).items, 0)
}

func (q *quota) charge(record int64, items int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.of(record).items += items
}

// tell reports whether the incident of today is yet to be recorded.
func (q *quota) tell(record int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.of(record)
	told := u.told
	u.told = true
	return !told
}

// enforceQuota rejects the items that a record may not add today.
func (g *Ingester) enforceQuota(ctx context.Context, group []*job) error {
	for _, j := range group {
		var digests []inventory.Digest
		j.eachUnknown(func(u *unknown) { digests = append(digests, u.item.Digest) })
		left := g.quota.left(j.obs.Record.ID)
		if len(digests) <= left {
			continue
		}
		known, err := g.store.Known(ctx, digests)
		if err != nil {
			return err
		}
		if rejected := j.rejectNew(known, left); rejected > 0 {
			g.flag(j, rejected)
		}
	}
	return nil
}

// eachUnknown calls do for each item of the job that has to be interned.
func (j *job) eachUnknown(do func(*unknown)) {
	for _, w := range j.sections {
		for _, slots := range [][]slot{w.added, w.removed} {
			for i := range slots {
				if slots[i].ref.ID == 0 {
					do(slots[i].unknown)
				}
			}
		}
	}
}

// rejectNew rejects the items that are not known, except the first ones, and returns how many. A
// removed item that is not known is not held, so nothing is lost with it.
func (j *job) rejectNew(known map[inventory.Digest]bool, except int) (rejected int) {
	for _, w := range j.sections {
		refused := func(s slot) bool {
			if s.ref.ID != 0 || known[s.unknown.item.Digest] {
				return false
			}
			except--
			return except < 0
		}
		before := len(w.added)
		w.added = slices.DeleteFunc(w.added, func(s slot) bool {
			if !refused(s) {
				return false
			}
			if len(w.verdicts) <= maxVerdicts {
				w.verdicts = append(w.verdicts, w.overQuota(s))
			}
			return true
		})
		w.removed = slices.DeleteFunc(w.removed, refused)
		w.missing = before - len(w.added)
		rejected += w.missing
	}
	return rejected
}

func (w *sectionWork) overQuota(s slot) inventory.Verdict {
	m, err := w.update.Section.Decode(s.unknown.encoded)
	verdict := inventory.Verdict{Section: w.state.Section}
	if err == nil {
		verdict.Item = shorten(printable(w.update.Section.Key(m)), maxKeyText)
	}
	return reject(verdict, "the agent has added too many new items to the catalog today")
}

// flag records that a record is over its quota, once a day.
func (g *Ingester) flag(j *job, rejected int) {
	if !g.quota.tell(j.obs.Record.ID) {
		return
	}
	g.options.Logger.Warn("an agent added too many new items to the catalog",
		"agent", j.obs.Record.AgentID, "rejected", rejected, "quota", g.quota.perDay)
	if j.obs.Incident == nil {
		j.obs.Incident = &inventory.Incident{Type: inventory.IncidentQuota, Detail: map[string]string{
			"items_rejected": strconv.Itoa(rejected),
			"quota":          fmt.Sprintf("%d new items a day", g.quota.perDay),
		}}
	}
}

// chargeQuota counts what the jobs of a group added.
func (g *Ingester) chargeQuota(group []*job) {
	for _, j := range group {
		n := 0
		j.eachUnknown(func(*unknown) { n++ })
		if n > 0 {
			g.quota.charge(j.obs.Record.ID, n)
		}
	}
}
