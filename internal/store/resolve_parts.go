package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// sourceDiscovery is the source of the records of parts: things of their own that are seen at others.
const sourceDiscovery = "discovery"

// seenPart is a part at its whole, on the way to its record.
type seenPart struct {
	inventory.Component

	observer int64
	key      string
	token    inventory.Identifier // by which it is known wherever it is; "": by its place alone
	record   int64
	host     bool // it is no part, but where the observer runs
}

// parts keeps the relationships of what is seen at the things that records speak of. A part with an honest identifier is
// one thing wherever it is seen; any other is known by its place.
func (r *resolution) parts(ctx context.Context, testimonies []inventory.Observation) error {
	var seen []*seenPart
	var named []*seenPart
	for _, t := range testimonies {
		for _, part := range t.Observed.Components {
			p := &seenPart{Component: part, observer: t.Record}
			if part.By != "" {
				named = append(named, p)
				continue
			}
			p.token = r.nameOf(part)
			seen = append(seen, p)
		}
	}
	held, err := r.observed(ctx, testimonies)
	if err != nil {
		return err
	}
	hosts, err := r.hosts(ctx, testimonies)
	if err != nil {
		return err
	}
	if len(seen)+len(named)+len(hosts)+len(held) == 0 {
		return nil
	}
	seen, err = r.tellApart(ctx, seen)
	if err != nil {
		return err
	}
	known, unknown := r.lookUp(named, held)
	seen = append(seen, unknown...)
	if err := r.recordParts(ctx, seen); err != nil {
		return err
	}
	if err := r.testifyParts(ctx, seen); err != nil {
		return err
	}
	return r.relate(ctx, slices.Concat(seen, known, hosts), held, partial(testimonies))
}

// partial gives the records whose relationships do not end because they say nothing of them.
func partial(testimonies []inventory.Observation) map[int64]bool {
	records := map[int64]bool{}
	for _, t := range testimonies {
		if t.Observed.Partial {
			records[t.Record] = true
		}
	}
	return records
}

// namingKinds are the kinds of tokens that name a part, the best first.
var namingKinds = []string{"native:", "serial:", "disk:", "os:", "uuid:", "mac:"}

// nameOf gives the token that a part is known by.
func (r *resolution) nameOf(part inventory.Component) inventory.Identifier {
	tokens, _ := r.judge.Tokens(part.Identifiers)
	for _, kind := range namingKinds {
		for _, token := range tokens {
			if strings.HasPrefix(string(token), kind) {
				return token
			}
		}
	}
	return ""
}

func (p *seenPart) setKey() {
	if p.token != "" {
		p.key = p.Class + "\n" + string(p.token)
	} else {
		p.key = p.Class + "\nat " + strconv.FormatInt(p.observer, 10) + "\n" + p.Key
	}
}

func partKey(key string) []byte {
	hash := sha256.Sum256([]byte(key))
	return hash[:]
}

// recordParts finds or makes the records of parts.
func (r *resolution) recordParts(ctx context.Context, seen []*seenPart) error {
	if len(seen) == 0 {
		return nil
	}
	byKey := map[string]*seenPart{}
	for _, p := range seen {
		byKey[p.key] = p
	}
	var (
		keys                 [][]byte
		labels, kinds, homes []string
	)
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		home, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make id of part: %w", err)
		}
		p := byKey[key]
		keys, homes = append(keys, partKey(key)), append(homes, home.String())
		labels, kinds = append(labels, p.label()), append(kinds, r.kindOf(p.Class))
	}
	rows, err := r.tx.Query(ctx, `
		with wanted as (
			select * from unnest($1::bytea[], $2::text[], $3::text[], $4::uuid[]) w (native_key, label, kind, home)
		), made as (
			insert into source_record (source, native_key, label, kind, home, created_at, seen_at)
			select $5, native_key, label, kind, home, $6, $6 from wanted
			on conflict (native_key, source) do nothing
			returning native_key, id
		)
		select native_key, id from made
		union all
		select r.native_key, r.id from source_record r join wanted w on w.native_key = r.native_key where r.source = $5`,
		keys, labels, kinds, homes, sourceDiscovery, r.at)
	if err != nil {
		return fmt.Errorf("record parts: %w", err)
	}
	ids := map[string]int64{}
	var key []byte
	var id int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error {
		ids[string(key)] = id
		return nil
	}); err != nil {
		return fmt.Errorf("record parts: %w", err)
	}
	for _, p := range seen {
		p.record = ids[string(partKey(p.key))]
		r.heard[p.record] = true
	}
	return nil
}

// label is what the part is called, for people.
func (p *seenPart) label() string {
	if p.token != "" {
		return string(p.token)
	}
	return p.Key
}

// testifyParts takes in what is seen of parts. Of several who see one the last speaks for it.
func (r *resolution) testifyParts(ctx context.Context, seen []*seenPart) error {
	byRecord := map[int64]inventory.Observation{}
	for _, p := range seen {
		identifiers := p.Identifiers
		if p.token == "" {
			identifiers = inventory.RawIdentifiers{} // what is shared tells nothing
		}
		byRecord[p.record] = inventory.Observation{Record: p.record, Observed: inventory.Observed{
			Class: p.Class, Attributes: p.Attributes, Identifiers: identifiers,
		}}
	}
	var testimonies []inventory.Observation
	for _, record := range slices.Sorted(maps.Keys(byRecord)) {
		testimonies = append(testimonies, byRecord[record])
	}
	if err := r.testify(ctx, testimonies); err != nil {
		return err
	}
	return r.place(ctx)
}
