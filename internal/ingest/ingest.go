// Package ingest takes an observation from the wire to the store: validate, intern, diff,
// reconcile, commit. Many machines share one transaction. It trusts nothing that an agent says but
// the key it speaks with, and it applies an observation as a whole or not at all.
package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/store/items"
	"github.com/musterhq/muster/internal/store/resolve"
	"github.com/musterhq/muster/internal/wire"
)

// Store is what ingest needs of the store.
type Store interface {
	importStore

	Intern(ctx context.Context, items []inventory.Item) ([]inventory.ItemID, error)
	Refs(ctx context.Context, ids []inventory.ItemID) ([]inventory.Ref, error)
	Facts(ctx context.Context, ids []inventory.ItemID) (map[inventory.ItemID][]byte, error)
	Holdings(ctx context.Context, part, whole []inventory.SetKey) (map[int64]*items.Holding, error)
	Sets(ctx context.Context, keys []inventory.SetKey) (map[inventory.SetKey][]inventory.ItemID, error)
	Resolve(ctx context.Context, observations []inventory.Observation) (map[int64]inventory.RecordAssignment, error)
	Commit(ctx context.Context, updates []resolve.Update) (map[int64]resolve.Committed, error)
}

// CheckIn is what one check-in says, next to what the collector held when it said so.
type CheckIn struct {
	Record    inventory.Record
	States    map[string]inventory.SectionState
	Summaries []wire.Summary
	Updates   []*Update
	Root      inventory.Root // of the whole inventory
	Token     []byte         // the ratchet's next token
	Previous  []byte         // the one that the agent came with
	BootID    string
	Program   string // what reports, and its version
	Hardware  map[string]uint64
	Incident  *inventory.Incident
	// Also is what the sections have no room for; of what they say too, they have the word.
	Also *inventory.Observed
}

// Result says what became of an observation.
type Result struct {
	Record   inventory.Record // as it is now
	At       time.Time
	Verdicts []inventory.Verdict
}

var (
	// ErrFenced says that the record changed meanwhile: look again and decide anew.
	ErrFenced = errors.New("the record changed meanwhile")
	// ErrStopped says that the collector is stopping.
	ErrStopped = errors.New("the collector is stopping")
)

// MismatchError names a section whose delta does not fit what the collector holds: the agent sends
// it whole.
type MismatchError struct{ Section string }

func (e *MismatchError) Error() string { return e.Section + ": the delta does not fit what is held" }

// Options says how to ingest; the zero value is fine.
type Options struct {
	GroupSize int // machines in one transaction; 0 means 64
	Workers   int // transactions at a time; 0 means 2
	CacheSize int // encodings of items that are remembered; 0 means 262,144 (about 30 MB)
	Logger    *slog.Logger
}

// Ingester applies observations. It is safe for concurrent use.
type Ingester struct {
	store   Store
	options Options
	rules   *identify.Rules
	known   *knownItems
	queue   chan *job
	stopped chan struct{}
}

// job is an observation waiting for its group.
type job struct {
	obs  *CheckIn
	done chan error
	work
}

// New makes an ingester; Run makes it work.
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
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Ingester{
		store: store, options: o, rules: identify.Default(), known: newKnownItems(o.CacheSize),
		queue: make(chan *job, o.GroupSize), stopped: make(chan struct{}),
	}, nil
}

// Apply commits an observation and returns when it is durable. The errors that a caller can act on
// are ErrFenced, MismatchError and ErrStopped; any other means that the store could not be reached
// or refused, and that nothing was applied.
func (g *Ingester) Apply(ctx context.Context, obs *CheckIn) (Result, error) {
	j := &job{obs: obs, done: make(chan error, 1)}
	for _, u := range obs.Updates {
		if err := u.Check(); err != nil {
			return Result{}, &MismatchError{Section: u.Section.Name}
		}
	}
	g.prepare(j)
	select {
	case g.queue <- j:
	case <-g.stopped:
		return Result{}, ErrStopped
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	select {
	case err := <-j.done:
		return j.outcome(err)
	case <-g.stopped:
		// The last group may have held it.
		select {
		case err := <-j.done:
			return j.outcome(err)
		default:
			return Result{}, ErrStopped
		}
	}
}

// outcome is what the waiting caller gets to see.
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
