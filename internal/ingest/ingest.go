// Package ingest applies check-ins and imports to the store: it validates and interns items,
// computes what changed, observes identity and attributes, and commits many machines in one
// transaction. It applies a check-in as a whole or not at all. It trusts nothing that an agent
// reports, and it does not decide which CI a record belongs to: package resolve does.
//
// Start with Ingester.Apply for a check-in and Ingester.process for its steps, or with
// Ingester.Import for a file.
package ingest

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/store/resolve"
	"github.com/musterhq/muster/internal/wire"
)

// Store is the part of the store that ingest uses.
type Store interface {
	importStore

	Known(ctx context.Context, digests []inventory.Digest) (map[inventory.Digest]bool, error)
	Intern(ctx context.Context, items []inventory.Item) ([]inventory.ItemID, error)
	Refs(ctx context.Context, ids []inventory.ItemID) ([]inventory.Ref, error)
	Facts(ctx context.Context, ids []inventory.ItemID) (map[inventory.ItemID][]byte, error)
	Holdings(ctx context.Context, part, whole []inventory.SetKey) (map[int64]*items.Holding, error)
	Sets(ctx context.Context, keys []inventory.SetKey) (map[inventory.SetKey][]inventory.ItemID, error)
	Resolve(ctx context.Context, observations []inventory.Observation) (map[int64]inventory.RecordAssignment, error)
	Commit(ctx context.Context, updates []resolve.Update) (map[int64]resolve.Committed, error)
}

// CheckIn is what an agent or a file reports of one record, and what the collector stored of the
// record before.
type CheckIn struct {
	Record    inventory.Record
	States    map[string]inventory.SectionState
	Summaries []wire.Summary
	Updates   []*Update
	Root      inventory.Root // of the whole inventory
	Token     []byte         // the ratchet's next token
	Previous  []byte         // the token that the agent presented
	BootID    string
	Program   string // the reporting program and its version
	Hardware  map[string]uint64
	Incident  *inventory.Incident
	// Also is what an import reports besides its sections; nil: nothing. If both report a value,
	// that of the sections wins.
	Also *inventory.Observed
}

// Result is the result of a check-in.
type Result struct {
	Record   inventory.Record // after the commit
	At       time.Time
	Verdicts []inventory.Verdict
}

var (
	// ErrFenced reports that another commit changed the record after the caller read it. The caller
	// must read the record again and decide anew.
	ErrFenced = errors.New("the record changed since it was read")
	// ErrStopped reports that the collector is stopping.
	ErrStopped = errors.New("the collector is stopping")
)

// MismatchError reports a section whose delta does not apply to the stored set. The agent must send
// the whole section.
type MismatchError struct{ Section string }

func (e *MismatchError) Error() string {
	return e.Section + ": the delta does not apply to the stored set"
}

// Options configures an Ingester; the zero value is valid.
type Options struct {
	GroupSize int // the most machines in one transaction; 0 means 64
	Workers   int // the most concurrent groups of cheap jobs, and of expensive ones; 0 means 2
	CacheSize int // cached encodings of items; 0 means 262,144 (about 35 MB)
	Logger    *slog.Logger

	// NewItemsPerDay is how many items each record may add to the catalog in a day; 0 means
	// 200,000.
	NewItemsPerDay int
	// Accepting returns an error while nothing may be applied, e.g. because the disk is nearly
	// full; nil: everything may be applied at any time.
	Accepting func() error
}

// Ingester applies check-ins and imports. It is safe for concurrent use.
type Ingester struct {
	store   Store
	options Options
	rules   *identify.Rules
	known   *knownItems
	quota   *quota
	stopped chan struct{}

	cheap, expensive *lane
	preparing        *semaphore.Weighted // limits the processors that expensive jobs use
}

// job is a check-in in the queue or in a group.
type job struct {
	obs  *CheckIn
	done chan error
	work
}

// New returns an Ingester. Its queue is not processed before Run is called.
func New(store Store, o Options) (*Ingester, error) {
	if o.GroupSize == 0 {
		o.GroupSize = 64
	}
	if o.Workers == 0 {
		o.Workers = 2
	}
	if o.CacheSize == 0 {
		o.CacheSize = 1 << 18
	}
	if o.NewItemsPerDay == 0 {
		o.NewItemsPerDay = newItemsPerDay
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Accepting == nil {
		o.Accepting = func() error { return nil }
	}
	return &Ingester{
		store: store, options: o, rules: identify.Default(), known: newKnownItems(o.CacheSize),
		quota:   newQuota(o.NewItemsPerDay),
		stopped: make(chan struct{}), cheap: newLane(o), expensive: newLane(o),
		preparing: semaphore.NewWeighted(max(int64(runtime.GOMAXPROCS(0)/2), 1)),
	}, nil
}

// Accepting returns the error of Apply and Import while nothing may be applied, or nil.
func (g *Ingester) Accepting() error { return g.options.Accepting() }

// Apply commits a check-in and returns after the COMMIT. A caller can act on the errors ErrFenced,
// MismatchError and ErrStopped. After any other error, the store was not reachable or rejected the
// check-in. After an error, nothing is applied.
func (g *Ingester) Apply(ctx context.Context, obs *CheckIn) (Result, error) {
	if err := g.Accepting(); err != nil {
		return Result{}, err
	}
	j := &job{obs: obs, done: make(chan error, 1)}
	for _, u := range obs.Updates {
		if err := u.Check(); err != nil {
			return Result{}, &MismatchError{Section: u.Section.Name}
		}
	}
	if err := g.prepareInTurn(ctx, j); err != nil {
		return Result{}, err
	}
	if err := g.laneOf(j).put(ctx, j, g.stopped); err != nil {
		return Result{}, err
	}
	select {
	case err := <-j.done:
		return j.outcome(err)
	case <-g.stopped:
		// The last group may have contained this job.
		select {
		case err := <-j.done:
			return j.outcome(err)
		default:
			return Result{}, ErrStopped
		}
	}
}

// prepareInTurn prepares a job. Those with many items share half of the processors, so that the
// others are left for all else.
func (g *Ingester) prepareInTurn(ctx context.Context, j *job) error {
	items := 0
	for _, u := range j.obs.Updates {
		items += len(u.items.Added) + len(u.items.Removed)
	}
	if items > expensive {
		if err := g.preparing.Acquire(ctx, 1); err != nil {
			return err
		}
		defer g.preparing.Release(1)
	}
	g.prepare(j)
	return nil
}

// outcome returns the result of Apply for a job that has ended with err.
func (j *job) outcome(err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	c := j.change
	record := j.obs.Record
	if j.assignment != nil {
		record.CI, record.LivenessDependent = j.assignment.CI, j.assignment.LivenessDependent
	}
	record.Version, record.Root = c.Version+1, c.Root
	record.Token, record.PreviousToken, record.TokenAt = c.Token, c.Previous, j.at
	record.BootID, record.Program, record.Hardware = c.BootID, c.Program, c.Hardware
	return Result{Record: record, At: j.at, Verdicts: j.verdicts}, nil
}
