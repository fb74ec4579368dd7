package cmdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store/db"
	"github.com/musterhq/muster/internal/store/items"
)

// world is an inventory whose history a test writes, with a clock of its own. It keeps the expected
// state in memory.
type world struct {
	t       *testing.T
	s       *Store
	now     time.Time
	records []*worldRecord
	cis     []*worldCI
	rels    []*worldRelationship
	changes []worldChange
}

type worldRecord struct {
	id        int64
	ci        *worldCI
	defaultCI *worldCI
	primary   bool
	items     map[string]map[int]bool // by section, from the moment when it was first collected
}

type worldCI struct {
	id, class, name string
	attributes      inventory.Attributes
	current         bool // it has a version
	retired         bool
}

type worldRelationship struct {
	id               int64
	relationshipType string
	from, to         *worldRecord
	observer         *worldRecord
	current          bool
}

// worldChange is a change that the feed must list.
type worldChange struct {
	At                             time.Time
	Type, Action, CI, Subject, New string
}

var worldStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const (
	worldKeys     = 5 // items 1 to 15 of each section: item i has the key i % 5
	worldItems    = 15
	worldSoftware = 1 // the sections' numbers
	worldService  = 2
)

func OpenStore(t testing.TB) *Store {
	t.Helper()
	database, err := db.Open(t.Context(), pgtest.New(t), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	s, err := New(database)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, s: OpenStore(t), now: worldStart}
	for i := range 3 {
		if err := ensurePartition(t, w.s, worldStart.AddDate(0, i, 0)); err != nil {
			t.Fatal(err)
		}
	}
	w.exec(`insert into section (name) values ('software'), ('service')`)
	w.exec(`
		insert into item (section_id, key_hash, digest, facts)
		select s, i % $1, md5(s || ' ' || i)::uuid, json_build_object('name', 'thing ' || i % $1, 'version', i)
		from generate_series(1, 2) s, generate_series(1, $2::integer) i
		order by s, i`, worldKeys, worldItems)
	w.exec(`insert into item_base (ids) select array_agg(id order by id) from item where id % 2 = 1`)
	w.exec(`insert into item_base (ids) select array_agg(id order by id) from item where id % 3 = 1`)
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.s.Pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%v in %s", err, sql)
	}
}

// tick lets time pass, at times a lot of it.
func (w *world) tick(r *rand.Rand) {
	step := time.Duration(1+r.IntN(1000)) * time.Microsecond
	if r.IntN(3) == 0 {
		step = time.Duration(1+r.IntN(3600*20)) * time.Second
	}
	w.now = w.now.Add(step)
}

func (w *world) changed(relationshipType, action string, ci *worldCI, subject, other string) {
	w.changes = append(w.changes, worldChange{At: w.now, Type: relationshipType, Action: action, CI: ci.id, Subject: subject, New: other})
}

// newRecord adds a record with a CI of its own, as a first observation does.
func (w *world) newRecord(class, name string) *worldRecord {
	ci := &worldCI{id: uuid.NewString(), class: class, name: name, attributes: inventory.Attributes{}}
	r := &worldRecord{ci: ci, defaultCI: ci, primary: true, items: map[string]map[int]bool{}}
	w.exec(`insert into ci (id, created_at) values ($1, $2)`, ci.id, w.now)
	err := w.s.Pool.QueryRow(w.t.Context(), `
		insert into source_record (source, native_key, label, default_ci, created_at, seen_at)
		values ('agent', $1, $2, $3, $4, $4) returning id`, []byte(ci.id), name, ci.id, w.now).Scan(&r.id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`insert into assignment (record_id, valid_from, ci_id, is_primary) values ($1, $2, $3, true)`, r.id, w.now, ci.id)
	w.cis, w.records = append(w.cis, ci), append(w.records, r)
	w.begin(ci, "created")
	return r
}

func (w *world) begin(ci *worldCI, action string) {
	ci.current = true
	w.version(ci)
	w.changed("ci", action, ci, ci.class, "")
}

func (w *world) version(ci *worldCI) {
	encoded, err := json.Marshal(ci.attributes)
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`
		insert into ci_version (ci_id, valid_from, device, class, name, attributes) values ($1, $2, $3, $4, $5, $6)`,
		ci.id, w.now, slices.Contains([]string{"computer", "laptop", "server"}, ci.class), ci.class, ci.name, string(encoded))
}

func (w *world) end(ci *worldCI) {
	ci.current = false
	w.exec(`update ci_version set valid_to = $2 where ci_id = $1 and valid_to = 'infinity'`, ci.id, w.now)
}

// set changes values of a CI; nil is unknown.
func (w *world) set(ci *worldCI, values map[string]any) {
	w.end(ci)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		old, known := ci.attributes[name]
		switch {
		case value == nil && known:
			delete(ci.attributes, name)
			w.changed("attribute", "removed", ci, name, "")
		case value != nil && !known:
			ci.attributes[name] = value
			w.changed("attribute", "added", ci, name, "")
		case value != nil && old != value:
			ci.attributes[name] = value
			w.changed("attribute", "changed", ci, name, "")
		}
	}
	ci.current = true
	w.version(ci)
}

func (w *world) rename(ci *worldCI, name string) {
	w.end(ci)
	ci.name, ci.current = name, true
	w.version(ci)
	w.changed("attribute", "changed", ci, "name", "")
}

// assign assigns a record to a CI from now on.
func (w *world) assign(r *worldRecord, ci *worldCI, primary bool) {
	old := r.ci
	r.ci, r.primary = ci, primary
	w.exec(`update assignment set valid_to = $2 where record_id = $1 and valid_to = 'infinity'`, r.id, w.now)
	w.exec(`insert into assignment (record_id, valid_from, ci_id, is_primary) values ($1, $2, $3, $4)`, r.id, w.now, ci.id, primary)
	if old == ci {
		return
	}
	action := "merged"
	if ci == r.defaultCI {
		action = "split"
	}
	w.exec(`
		insert into identity_decision (at, record_id, action, old_ci, new_ci, rule, reason)
		values ($1, $2, $3, $4, $5, 'R0', '{}')`, w.now, r.id, action, old.id, ci.id)
	w.changed("identity", action, ci, "R0", "")
	if old.current && !slices.ContainsFunc(w.records, func(o *worldRecord) bool { return o.ci == old }) {
		w.end(old)
		w.changed("ci", "merged", old, old.class, "")
	}
	if !ci.current && !ci.retired {
		w.begin(ci, "restored")
	}
}

func (w *world) retire(ci *worldCI) {
	w.end(ci)
	ci.retired = true
	w.exec(`update ci set retired_at = $2 where id = $1`, ci.id, w.now)
	w.exec(`update ci_version set retired = true where ci_id = $1 and valid_to = $2`, ci.id, w.now)
	w.changed("ci", "retired", ci, ci.class, "")
}

func (w *world) restore(ci *worldCI) {
	ci.retired = false
	w.exec(`update ci set retired_at = null where id = $1`, ci.id)
	w.begin(ci, "restored")
}

// collect has a record report a section. The first report is not a change.
func (w *world) collect(r *worldRecord, section string, now map[int]bool) {
	number := map[string]int{"software": worldSoftware, "service": worldService}[section]
	before, known := r.items[section]
	r.items[section] = now
	ids := []int32{}
	for id := range now {
		ids = append(ids, int32((number-1)*worldItems+id))
	}
	slices.Sort(ids)
	w.store(r, number, ids)
	if !known {
		w.exec(`
			insert into section_states as s (record_id, section_ids, roots, supersets, statuses, messages, status_since, durations_ms, items, first_at, changed_at)
			values ($1, array[$2::smallint], '{null}', '{false}', '{ok}', array[''], array[$3::timestamptz], '{1}', array[$4::integer], array[$3::timestamptz], array[$3::timestamptz])
			on conflict (record_id) do update set
				section_ids  = s.section_ids || excluded.section_ids,
				roots        = s.roots || excluded.roots,
				supersets    = s.supersets || excluded.supersets,
				statuses     = s.statuses || excluded.statuses,
				messages     = s.messages || excluded.messages,
				status_since = s.status_since || excluded.status_since,
				durations_ms = s.durations_ms || excluded.durations_ms,
				items        = s.items || excluded.items,
				first_at     = s.first_at || excluded.first_at,
				changed_at   = s.changed_at || excluded.changed_at`, r.id, number, w.now, len(ids))
		return
	}
	var olds, news []int32
	for key := range worldKeys {
		lost, gained := difference(before, now, key), difference(now, before, key)
		for i := range max(len(lost), len(gained)) {
			var o, n int32
			action := "changed"
			if i < len(lost) {
				o = int32((number-1)*worldItems + lost[i])
			} else {
				action = "added"
			}
			if i < len(gained) {
				n = int32((number-1)*worldItems + gained[i])
			} else {
				action = "removed"
			}
			olds, news = append(olds, o), append(news, n)
			if r.primary {
				w.changed("item", action, r.ci, section, "")
			}
		}
	}
	if len(olds) > 0 {
		w.exec(`insert into item_event values ($1, $2, $3, $4, $5)`, r.id, number, w.now, olds, news)
	}
}

// store writes the set of a section in one of the layouts that collectors use: with a base or
// without, in a row of its own or in one with the other section.
func (w *world) store(r *worldRecord, number int, ids []int32) {
	row, first := number, (number-1)*worldItems
	if r.id%2 == 0 {
		row = 0
	}
	w.exec(`
		insert into item_set as s (record_id, section_id, base_id, plus, minus)
		select $1, $2, b.id, '{}', b.ids from (values ($1 % 3)) v (n) left join item_base b on b.id = v.n
		on conflict do nothing`, r.id, row)
	w.exec(`
		with wanted as (
			select i.item_id, b.ids, i.item_id = any(b.ids) is true as of_base
			from item_set s
			left join item_base b on b.id = s.base_id
			cross join lateral (
				select unnest($3::integer[]) as item_id
				union (
					(select unnest(s.plus) union (select unnest(b.ids) except select unnest(s.minus)))
					except select generate_series($4::integer + 1, $4 + $5)
				)
			) i
			where s.record_id = $1 and s.section_id = $2
		)
		update item_set s set
			plus = array(select item_id from wanted where not of_base order by 1),
			minus = nullif(array(
				select unnest(b.ids) from item_base b where b.id = s.base_id except select item_id from wanted order by 1
			), '{}')
		where s.record_id = $1 and s.section_id = $2`, r.id, row, ids, first, worldItems)
}

// difference lists the items of a key that are in one set and not in another.
func difference(a, b map[int]bool, key int) []int {
	var list []int
	for id := range a {
		if !b[id] && id%worldKeys == key {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func (w *world) relate(relationshipType string, from, to, observer *worldRecord) *worldRelationship {
	before := w.related()
	r := &worldRelationship{relationshipType: relationshipType, from: from, to: to, observer: observer, current: true}
	var seenBy *int64
	if observer != nil {
		seenBy = &observer.id
	}
	err := w.s.Pool.QueryRow(w.t.Context(), `
		insert into relationship (type, from_record, to_record, observer, valid_from) values ($1, $2, $3, $4, $5) returning id`,
		relationshipType, from.id, to.id, seenBy, w.now).Scan(&r.id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.rels = append(w.rels, r)
	if len(w.related()) > len(before) {
		w.changed("relationship", "began", from.ci, relationshipType, to.ci.name)
	}
	return r
}

func (w *world) unrelate(r *worldRelationship) {
	before := w.related()
	r.current = false
	w.exec(`update relationship set valid_to = $2 where id = $1`, r.id, w.now)
	if len(w.related()) < len(before) {
		w.changed("relationship", "ended", r.from.ci, r.relationshipType, r.to.ci.name)
	}
}

// worldEdge is a relationship of two CIs.
type worldEdge struct{ Type, From, To string }

// related are the relationships of the CIs as they are.
func (w *world) related() map[worldEdge]bool {
	edges := map[worldEdge]bool{}
	for _, r := range w.rels {
		if r.current && r.from.ci != r.to.ci && r.from.ci.current && r.to.ci.current && (r.observer == nil || r.observer.primary) {
			edges[worldEdge{r.relationshipType, r.from.ci.id, r.to.ci.id}] = true
		}
	}
	return edges
}

// play lets something happen.
func (w *world) play(r *rand.Rand) {
	w.tick(r)
	if len(w.records) < 3 || r.IntN(8) == 0 && len(w.records) < 10 {
		class := []string{"computer", "laptop", "monitor", "printer"}[r.IntN(4)]
		w.newRecord(class, fmt.Sprintf("%s-%d", class, len(w.records)))
		return
	}
	record := w.records[r.IntN(len(w.records))]
	other := w.records[r.IntN(len(w.records))]
	switch choice := r.IntN(10); {
	case choice < 3:
		items := map[int]bool{}
		for range r.IntN(6) {
			items[1+r.IntN(worldItems)] = true
		}
		w.collect(record, []string{"software", "service"}[r.IntN(2)], items)
	case choice < 5 && record.ci.current:
		w.set(record.ci, map[string]any{
			"model": []any{nil, "A", "B"}[r.IntN(3)], "cost": []any{nil, json.Number("10"), json.Number("2.5")}[r.IntN(3)],
		})
	case choice == 5 && record.ci.current:
		if name := fmt.Sprintf("renamed-%d", r.IntN(3)); name != record.ci.name {
			w.rename(record.ci, name)
		}
	case choice == 6 && record.ci.current && other.ci.current && record.ci != other.ci:
		w.assign(record, other.ci, r.IntN(2) == 0)
	case choice == 6 && record.ci != record.defaultCI:
		w.assign(record, record.defaultCI, true)
	case choice == 7 && record.ci.retired:
		w.restore(record.ci)
	case choice == 7 && r.IntN(2) == 0 && record.ci.current:
		w.retire(record.ci)
	case choice == 8 && len(w.rels) > 0 && w.rels[len(w.rels)-1].current:
		w.unrelate(w.rels[len(w.rels)-1])
	default:
		observers := []*worldRecord{nil, record, other}
		w.relate([]string{"contains", "connected_to", "depends_on"}[r.IntN(3)], record, other, observers[r.IntN(3)])
	}
}

// ensurePartition makes the partition of item_event for the month that begins at an instant.
func ensurePartition(t testing.TB, s *Store, from time.Time) error {
	t.Helper()
	i, err := items.New(s.DB)
	if err != nil {
		return err
	}
	return i.EnsurePartition(t.Context(), from)
}

func ensurePartitions(t testing.TB, s *Store) error {
	t.Helper()
	i, err := items.New(s.DB)
	if err != nil {
		return err
	}
	return i.EnsurePartitions(t.Context())
}

// wantCode checks that an error is an inventory.Error with a code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *inventory.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want one with code %s", err, code)
	}
}
