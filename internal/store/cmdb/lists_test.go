package cmdb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store/db"
)

func TestMain(m *testing.M) { pgtest.Main(m, db.Migrate) }

// fleet fills a database by SQL with machines that have two versions of their device and 20
// software items each, of which item 1 is on every machine.
var fleet = []string{
	`insert into section (name) values ('software')`,
	`insert into ci select md5('c' || i)::uuid, '2026-01-01'::timestamptz + i * interval '1 second' from generate_series(1, 1000) i`,
	`insert into ci_version (ci_id, valid_from, valid_to, device, class, name, attributes)
		select md5('c' || i)::uuid, v.valid_from, v.valid_to, true, 'computer', 'host-' || md5('n' || i), jsonb_build_object(
			'manufacturer', 'LENOVO', 'model', 'Model ' || i % 100, 'serial_number', md5('s' || i), 'uuid', md5('u' || i),
			'os_name', 'Debian GNU/Linux', 'os_version', v.os_version)
		from generate_series(1, 1000) i, (values
			('2026-02-01'::timestamptz, '2026-03-01'::timestamptz, '12'), ('2026-03-01', 'infinity', '13')) v (valid_from, valid_to, os_version)`,
	`insert into source_record (source, native_key, default_ci)
		select 'agent', decode(md5('k' || i), 'hex'), md5('c' || i)::uuid from generate_series(1, 1000) i`,
	`insert into assignment (record_id, valid_from, ci_id, is_primary) select id, '2026-02-01', default_ci, true from source_record`,
	`insert into agent (record_id, agent_id, certificate_expires_at)
		select id, md5('a' || id)::uuid, now() from source_record`,
	`insert into software (digest, name, version, publisher, source)
		select md5('w' || i)::uuid, 'title-' || md5('t' || i), '1', 'Debian', 'dpkg' from generate_series(1, 3000) i`,
	`insert into item (section_id, key_hash, digest, facts)
		select 1, i, md5('i' || i)::uuid, json_build_object('name', 'title-' || i) from generate_series(1, 3000) i`,
	`insert into software_item select i, i from generate_series(1, 3000) i`,
	`insert into item_count select i, 1 from generate_series(1, 3000) i`,
	`insert into section_states (record_id, section_ids, roots, supersets, statuses, messages, status_since, durations_ms, items, first_at, changed_at)
		select id, '{1}', '{null}', '{false}', '{ok}', array[''], '{2026-02-01}', '{1}', '{20}', '{2026-02-01}', '{2026-02-01}' from source_record`,
	`insert into item_base (ids) select '{1}' from generate_series(1, 2)`,
	`insert into item_set
		select r.id, 1, case when r.id % 3 = 0 then 1 + r.id % 2 end,
			array(select 1 where r.id % 3 > 0 union select 2 + (r.id * 37 + k * 1009) % 2998 from generate_series(1, 19) k order by 1)
		from source_record r`,
	`analyze`,
}

func openFleet(t *testing.T) *Store {
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
	for _, statement := range fleet {
		if _, err := s.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	return s
}

// large are the tables that no page of a list may read from end to end.
var large = []string{"ci_version", "assignment", "relationship", "ci", "source_record", "agent", "software", "software_item", "item", "item_count", "item_set"}

// TestPagesHaveTheirIndexes: however large the tables are, there is an index for each page of a
// list, and the orders of devices need no sorting.
func TestPagesHaveTheirIndexes(t *testing.T) {
	t.Parallel()
	s := openFleet(t)
	page := inventory.Page{Limit: 101}
	past := inventory.Page{Limit: 101, AsOf: time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC)}
	next := inventory.Page{Limit: 101, After: inventory.Position{"host-8", uuid.NewString()}}
	queries := []inventory.DeviceQuery{{Page: next}}
	for column := range deviceOrders {
		queries = append(queries, inventory.DeviceQuery{Page: page, OrderBy: column},
			inventory.DeviceQuery{Page: past, OrderBy: column, Descending: true})
	}
	for _, q := range queries {
		sql, args, err := devicesSQL(q, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range s.plan(t, sql, args) {
			if n.Type == "Sort" || n.readsAll() {
				t.Errorf("devices %+v: %s %s", q, n.Type, n.Table)
			}
		}
	}
	for _, q := range []inventory.SoftwareQuery{{Page: page}, {Page: page, Words: []string{"abcd"}}, {Page: page, Words: []string{"debian"}}, {Page: past}} {
		sql, args, err := softwareSQL(q)
		if err != nil {
			t.Fatal(err)
		}
		s.wantIndexes(t, fmt.Sprintf("software %+v", q), sql, args)
	}
	sql, args, err := devicesSQL(inventory.DeviceQuery{Page: page, Search: "host-abcd"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wantIndexes(t, "a search for devices", sql, args)
	for _, item := range []int32{1, 1711} {
		s.wantIndexes(t, fmt.Sprintf("who has %d", item), currentInstallations,
			pgx.NamedArgs{"items": []int32{item}, "after": 0, "as_of": db.EndOfTime, "limit": 101})
	}
}

// TestCIPagesHaveTheirIndexes: the same goes for CIs, their relationships, and a window of what
// changed.
func TestCIPagesHaveTheirIndexes(t *testing.T) {
	t.Parallel()
	s := openFleet(t)
	page := inventory.Page{Limit: 101}
	past := inventory.Page{Limit: 101, AsOf: time.Date(2026, 2, 15, 0, 0, 0, 0, time.UTC)}
	for _, q := range []inventory.CIQuery{
		{Page: page}, {Page: past, Descending: true}, {Page: page, Class: "printer"}, {Page: page, OrderBy: "first_seen"},
		{Page: page, Retired: true}, {Page: page, Class: "computer", OrderBy: "model"}, {Page: page, Search: "host-abcd"},
		{Page: page, Class: "computer", Filter: []inventory.Condition{{Attribute: "serial_number", Operator: "=", Value: "x"}}},
		{Page: page, Filter: []inventory.Condition{{Attribute: "name", Operator: "=", Value: "x"}}},
	} {
		var sql string
		var args pgx.NamedArgs
		err := s.Read(t.Context(), func(tx pgx.Tx) (err error) {
			sql, args, err = cisSQL(t.Context(), tx, q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.wantIndexes(t, fmt.Sprintf("CIs %+v", q), sql, args)
	}
	args := pgx.NamedArgs{"as_of": db.EndOfTime, "after": 0, "limit": 101, "records": []int64{1}}
	s.wantIndexes(t, "relationships", relationshipsSQL(false, []string{`r.id > @after`}), args)
	s.wantIndexes(t, "relationships of a CI", relationshipsSQL(true, []string{`(r.from_record = any(@records) or r.to_record = any(@records))`}), args)
	args = pgx.NamedArgs{
		"as_of": db.EndOfTime, "limit": 101, "cis": []string{uuid.NewString()}, "records": []int64{1}, "unknown": []int64{1},
		"out": []string{"contains"}, "in": []string{"contains"},
	}
	for _, sql := range []string{recordsOfCIs, relationshipsOfRecords, assignmentsOfRecords} {
		s.wantIndexes(t, "a graph", sql, args)
	}
	for _, ci := range []string{"", uuid.NewString()} {
		feed := &changeFeed{query: inventory.FeedQuery{CI: ci}, full: fullWindow}
		if err := feed.prepare(); err != nil {
			t.Fatal(err)
		}
		feed.args["from"], feed.args["to"], feed.args["enough"] = past.AsOf, past.AsOf.Add(time.Minute), 1000
		feed.args["limit"], feed.args["classes"], feed.args["records"] = nil, nil, []int64{1}
		if ci != "" {
			feed.args["ci"] = ci
		}
		s.wantIndexes(t, "a number of changes", countChangesOfAll(feed.sources, ci != ""), feed.args)
		s.wantIndexes(t, "a window of changes", listAllChanges(feed.sources, ci != ""), feed.args)
	}
}

func (s *Store) wantIndexes(t *testing.T, name, sql string, args pgx.NamedArgs) {
	t.Helper()
	for _, n := range s.plan(t, sql, args) {
		if n.readsAll() {
			t.Errorf("%s: %s %s", name, n.Type, n.Table)
		}
	}
}

// plan lists the nodes of a statement's plan, where a table is read from end to end only if there
// is no other way.
func (s *Store) plan(t *testing.T, sql string, args pgx.NamedArgs) (nodes []node) {
	t.Helper()
	err := s.Read(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `set local enable_seqscan = off`); err != nil {
			return err
		}
		var plan string
		if err := tx.QueryRow(t.Context(), `explain (format json) `+sql, pgx.QueryExecModeCacheDescribe, args).Scan(&plan); err != nil {
			return err
		}
		var roots []struct{ Plan node }
		if err := json.Unmarshal([]byte(plan), &roots); err != nil {
			return err
		}
		nodes = roots[0].Plan.all()
		return nil
	})
	if err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
	return nodes
}

// node is a node of a plan.
type node struct {
	Type  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Plans []node
}

// all lists the node and those below it.
func (n node) all() []node {
	list := []node{n}
	for _, child := range n.Plans {
		list = append(list, child.all()...)
	}
	return list
}

func (n node) readsAll() bool {
	return strings.HasSuffix(n.Type, "Seq Scan") && slices.Contains(large, n.Table)
}

// TestEveryDeviceIsListedOnce: a device whose records, bases and sets hold several of a software's
// items is one.
func TestEveryDeviceIsListedOnce(t *testing.T) {
	t.Parallel()
	s := openFleet(t)
	for _, statement := range []string{
		// Items 1 and 2 become one software, bases and sets hold both, and two machines become one
		// device.
		`update software_item set software_id = 1 where item_id = 2`,
		`update item_base set ids = '{1,2}'`,
		`update item_set set plus = array_append(plus, 2) where record_id <= 50 and base_id is null`,
		`update item_set set minus = '{1,2}', plus = array_append(plus, 1) where record_id = 6`,
		`update item_set set minus = '{1}' where record_id = 9`,
		`update assignment set ci_id = md5('c1')::uuid where record_id = 2`,
		`update ci_version set valid_to = '2026-02-01 00:00:01' where ci_id = md5('c2')::uuid and valid_from = '2026-02-01'`,
		`delete from ci_version where ci_id = md5('c2')::uuid and valid_from = '2026-03-01'`,
	} {
		if _, err := s.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, asOf := range []time.Time{{}, time.Now()} {
		seen := map[string]int{}
		query := inventory.SoftwareDevicesQuery{Page: inventory.Page{AsOf: asOf}, Software: 1}
		err := s.ListSoftwareDevices(t.Context(), query, func(d inventory.Device, _ inventory.Position) error {
			seen[d.ID]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) != 999 {
			t.Errorf("as of %v: %d devices, want 999", asOf, len(seen))
		}
		for id, n := range seen {
			if n > 1 {
				t.Errorf("as of %v: %s is listed %d times", asOf, id, n)
			}
		}
	}
}
