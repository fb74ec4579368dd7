package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/reconcile"
	"github.com/musterhq/muster/internal/wire"
)

// importStore is the part of the store that imports use.
type importStore interface {
	TakeRecords(
		ctx context.Context, records []inventory.ImportRecord, actor inventory.Actor, dryRun bool,
	) ([]inventory.ImportOutcome, error)
	RecordByID(ctx context.Context, id int64) (inventory.Record, error)
	SectionStates(ctx context.Context, record int64) (map[string]inventory.SectionState, error)
	Attributes(ctx context.Context, class string) ([]inventory.Attribute, error)
	Classes(ctx context.Context) ([]inventory.Class, error)
}

// importSize is the number of documents in one transaction.
const importSize = 256

// Import imports a file of another tool. It parses the whole file before it changes anything: a
// malformed file changes nothing and returns an inventory.Error with CodeInvalid and the position.
// Importing a file again changes nothing.
func (g *Ingester) Import(
	ctx context.Context, body io.Reader, o inventory.ImportOptions,
) (inventory.ImportReport, error) {
	report := inventory.ImportReport{Format: o.Format, DryRun: o.DryRun, Documents: []inventory.ImportRow{}}
	if err := g.Accepting(); err != nil && !o.DryRun {
		return report, err
	}
	docs, err := g.readFile(ctx, body, o)
	if err != nil {
		return report, err
	}
	if len(docs) > 0 {
		report.Warnings = docs[0].FileWarnings
	}
	within := takeWithin(docs)
	if report.Documents, err = g.importAll(ctx, docs, o); err != nil {
		return report, err
	}
	if len(within) > 0 && !o.DryRun {
		again, err := g.importAll(ctx, within, o)
		if err != nil {
			return report, err
		}
		merge(report.Documents, again)
	}
	count(&report)
	return report, nil
}

func (g *Ingester) importAll(
	ctx context.Context, docs []importer.Document, o inventory.ImportOptions,
) ([]inventory.ImportRow, error) {
	rows := []inventory.ImportRow{}
	for some := range slices.Chunk(docs, importSize) {
		taken, err := g.importSome(ctx, some, o)
		if err != nil {
			return nil, err
		}
		rows = append(rows, taken...)
	}
	return rows, nil
}

func (g *Ingester) readFile(
	ctx context.Context, body io.Reader, o inventory.ImportOptions,
) ([]importer.Document, error) {
	options := importer.Options{Name: o.Name, Encoding: o.Encoding}
	if o.Mapping != nil {
		mapping, err := importer.ParseMapping(o.Mapping)
		if err != nil {
			return nil, refuse("%v", err)
		}
		options.Mapping = mapping
	}
	var err error
	if options.Attributes, err = g.store.Attributes(ctx, ""); err != nil {
		return nil, err
	}
	if options.Classes, err = g.store.Classes(ctx); err != nil {
		return nil, err
	}
	docs, err := importer.Read(o.Format, body, options)
	if err != nil {
		return nil, refuse("%v", err)
	}
	seen := map[[2]string]string{}
	for i := range docs {
		d := &docs[i]
		key := [2]string{d.Source, d.NativeKey}
		if first, ok := seen[key]; ok && d.Problem == "" {
			d.Problem = fmt.Sprintf("%s has the same key %s; give each row its own key", first, d.NativeKey)
		}
		if d.Problem == "" {
			seen[key] = d.Position
		}
		d.Observed.FromFile = !o.Live
		d.Observed = reconcile.WithIdentifiers(d.Observed, baseClass(options.Classes, d.Observed.Class))
	}
	return docs, nil
}

// baseClass returns the class directly below the root that a class belongs to, "" if it is unknown.
func baseClass(classes []inventory.Class, class string) string {
	for _, c := range classes {
		switch {
		case c.Name != class || c.Parent == "":
		case c.Parent == inventory.RootClass:
			return class
		default:
			return baseClass(classes, c.Parent)
		}
	}
	return ""
}

func refuse(format string, args ...any) error {
	return &inventory.Error{Code: inventory.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// importSome imports documents: first their records, then the sections of their inventories.
func (g *Ingester) importSome(
	ctx context.Context, docs []importer.Document, o inventory.ImportOptions,
) ([]inventory.ImportRow, error) {
	rows, now := make([]inventory.ImportRow, len(docs)), time.Now()
	var records []inventory.ImportRecord
	var taken []int
	for i, d := range docs {
		rows[i] = inventory.ImportRow{
			Position:  d.Position,
			NativeKey: d.NativeKey,
			Problem:   d.Problem,
			Warnings:  d.Warnings,
		}
		if d.Problem != "" {
			rows[i].Outcome = outcomeRejected
			continue
		}
		record, err := g.recordOf(d)
		if err != nil {
			return nil, err
		}
		record.At = documentAt(d, o.Live, now)
		records, taken = append(records, record), append(taken, i)
	}
	outcomes, err := g.store.TakeRecords(ctx, records, o.Actor, o.DryRun)
	if err != nil {
		return nil, err
	}
	for n, outcome := range outcomes {
		row := &rows[taken[n]]
		row.Warnings = append(row.Warnings, outcome.Warnings...)
		if outcome.Problem == "" && !outcome.Older && !o.DryRun && len(docs[taken[n]].Sections) > 0 {
			changed, err := g.importSections(ctx, outcome.Record, docs[taken[n]])
			if err != nil {
				return nil, err
			}
			outcome.Changed = outcome.Changed || changed
		}
		row.CI, row.Problem, row.Outcome = outcome.CI, outcome.Problem, outcomeOf(outcome)
		if o.DryRun && outcome.Created {
			row.CI = "" // a dry run creates no CI
		}
	}
	return rows, nil
}

// documentAt returns the date of an inventory; the zero time for lists, which have none. What a
// machine sends itself, and what has no date or one in the future, is as of now.
func documentAt(d importer.Document, live bool, now time.Time) time.Time {
	switch {
	case len(d.Sections) == 0:
		return time.Time{}
	case live || d.At.IsZero() || d.At.After(now):
		return now
	default:
		return d.At
	}
}

// The outcomes of a document.
const (
	outcomeCreated   = "created"
	outcomeChanged   = "changed"
	outcomeUnchanged = "unchanged"
	outcomeRejected  = "rejected"
)

func outcomeOf(o inventory.ImportOutcome) string {
	switch {
	case o.Problem != "":
		return outcomeRejected
	case o.Created:
		return outcomeCreated
	case o.Changed:
		return outcomeChanged
	default:
		return outcomeUnchanged
	}
}

func count(report *inventory.ImportReport) {
	for _, row := range report.Documents {
		switch row.Outcome {
		case outcomeCreated:
			report.Created++
		case outcomeChanged:
			report.Changed++
		case outcomeUnchanged:
			report.Unchanged++
		case outcomeRejected:
			report.Rejected++
		}
	}
}

// recordOf returns the source record of a document. The observation includes what its sections
// report.
func (g *Ingester) recordOf(d importer.Document) (inventory.ImportRecord, error) {
	record := inventory.ImportRecord{Source: d.Source, NativeKey: d.NativeKey, Observed: d.Observed, Match: d.Match}
	if len(d.Sections) == 0 {
		return record, nil
	}
	facts := map[string][]json.RawMessage{}
	for _, s := range d.Sections {
		section, known := wire.Lookup(s.Name)
		if !known {
			return record, fmt.Errorf("%s: unknown section %s", d.Position, s.Name)
		}
		for _, item := range s.Items {
			facts[s.Name] = append(facts[s.Name], section.AppendFacts(nil, item.ProtoReflect()))
		}
	}
	record.Observed = reconcile.Join(reconcile.Observe(facts, g.rules.IsHonest), d.Observed)
	return record, nil
}

// maxTries bounds the attempts to import an inventory that others change at the same time.
const maxTries = 10

// importSections imports the sections that differ from the stored ones, and reports whether there
// were any.
func (g *Ingester) importSections(ctx context.Context, id int64, d importer.Document) (bool, error) {
	for range maxTries {
		record, err := g.store.RecordByID(ctx, id)
		if err != nil {
			return false, err
		}
		states, err := g.store.SectionStates(ctx, id)
		if err != nil {
			return false, err
		}
		obs, err := observationOf(record, states, d)
		if err != nil || len(obs.Updates) == 0 {
			return false, err
		}
		_, err = g.Apply(ctx, obs)
		if !errors.Is(err, ErrFenced) {
			return err == nil, err
		}
	}
	return false, &inventory.Error{
		Code:    inventory.CodeConflict,
		Message: d.NativeKey + " is changed by other imports at the same time; import it again",
	}
}

// observationOf returns a check-in with the sections of a document that differ from the stored
// ones.
func observationOf(
	record inventory.Record, states map[string]inventory.SectionState, d importer.Document,
) (*CheckIn, error) {
	obs := &CheckIn{Record: record, States: states, Program: record.Program, Also: &d.Observed}
	for _, s := range d.Sections {
		section, _ := wire.Lookup(s.Name)
		update, err := updateOf(section, s.Items)
		if err != nil {
			return nil, err
		}
		state := states[s.Name]
		if state.Collected && state.Root == update.Root && state.Status == s.Status {
			continue
		}
		obs.Updates = append(obs.Updates, update)
		obs.Summaries = append(obs.Summaries, wire.Summary{Section: s.Name, Status: s.Status, Root: update.Root})
	}
	obs.Root = wire.InventoryRoot(obs.Summaries)
	return obs, nil
}

// updateOf returns an update with a whole section.
func updateOf(section *wire.Section, items []proto.Message) (*Update, error) {
	set, verdicts := section.NewSet(items)
	for _, v := range verdicts {
		if v.Outcome == inventory.OutcomeRejected {
			return nil, refuse("%s %s: %s", v.Section, v.Item, v.Reason)
		}
	}
	return &Update{Section: section, Root: set.Root(), items: wire.Items{Added: set.Items()}}, nil
}
