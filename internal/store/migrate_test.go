package store

import (
	"bytes"
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
)

const (
	upgradedLaptop = "01900000-0000-7000-8000-000000000001"
	upgradedClone  = "01900000-0000-7000-8000-000000000002"
	upgradedScreen = "01900000-0000-7000-8000-000000000003"
)

// beforeIdentity is a laptop that was renamed and a clone that was told apart, as the first version kept them.
var beforeIdentity = []string{
	`insert into ci values ('` + upgradedLaptop + `', '2026-01-01Z'), ('` + upgradedClone + `', '2026-02-01Z')`,
	`insert into device values
		('` + upgradedLaptop + `', '2026-01-01Z', '2026-01-15Z', 'laptop', 'old', 'LENOVO', 'T14', 'PF-1', '', 'Debian GNU/Linux', '12'),
		('` + upgradedLaptop + `', '2026-01-15Z', 'infinity', 'laptop', 'new', 'LENOVO', 'T14', 'PF-1', '', 'Debian GNU/Linux', '12'),
		('` + upgradedClone + `', '2026-02-01Z', 'infinity', 'laptop', 'clone', 'LENOVO', 'T14', '', '', '', '')`,
	`insert into source_record (source, native_key, ci_id, forked_from, created_at) values
		('agent', decode(repeat('01', 32), 'hex'), '` + upgradedLaptop + `', null, '2026-01-01Z'), ('agent', '\x02', '` + upgradedClone + `', 1, '2026-02-01Z')`,
	`insert into agent (record_id, agent_id, certificate_expires_at, version, token, seen_at) values
		(1, gen_random_uuid(), '2027-01-01Z', 7, '\xaa', '2026-03-01Z'), (2, gen_random_uuid(), '2027-01-01Z', 3, null, '2026-02-02Z')`,
}

// beforeAuditEntries is what the second version kept of what people did: a value, a lock, its release, and a retirement. Of the
// laptop's screen it kept what the laptop calls it among what there is to say of the relationship.
var beforeAuditEntries = []string{
	`insert into source_record (source, native_key, default_ci, created_at) values
		('manual', '\x03', '` + upgradedLaptop + `', '2026-03-01Z'), ('discovery', '\x04', '` + upgradedScreen + `', '2026-01-01Z')`,
	`insert into ci values ('` + upgradedScreen + `', '2026-01-01Z')`,
	`insert into assignment (record_id, valid_from, ci_id, is_primary) values
		(3, '2026-03-01Z', '` + upgradedLaptop + `', false), (4, '2026-01-01Z', '` + upgradedScreen + `', true)`,
	`insert into ci_version (ci_id, valid_from, device, class, name, attributes) values
		('` + upgradedScreen + `', '2026-01-01Z', false, 'monitor', 'screen', '{}')`,
	`insert into relationship (type, from_record, to_record, observer, attributes, valid_from) values
		('connected_to', 4, 1, 1, '{"key": "DP-1"}', '2026-01-01Z')`,
	`insert into record_version (record_id, valid_from, class, attributes, actor, reason) values
		(3, '2026-03-01Z', '', '{"owner": "Ada"}', 'ann', 'as HR says')`,
	`update ci_version set valid_to = '2026-03-01Z' where ci_id = '` + upgradedLaptop + `' and valid_to = 'infinity'`,
	`insert into ci_version (ci_id, valid_from, device, class, name, attributes) values
		('` + upgradedLaptop + `', '2026-03-01Z', true, 'laptop', 'new', '{"owner": "Ada", "model": "T14"}')`,
	`insert into attribute_lock (id, record_id, attribute, value, reason, actor, locked_at, released_at, released_by) values
		(gen_random_uuid(), 3, 'model', '"T14"', 'agreed', 'bob', '2026-03-02Z', '2026-03-03Z', 'eve')`,
	`update ci_version set valid_to = '2026-03-04Z' where ci_id = '` + upgradedClone + `'`,
	`update ci set retired_at = '2026-03-04Z' where id = '` + upgradedClone + `'`,
}

// TestUpgrade: what older versions kept is all there after the upgrade, also of the past.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	execAll(t, db, `drop schema public cascade`, `create schema public`)
	provider, err := newProvider(db)
	if err != nil {
		t.Fatal(err)
	}
	for version, data := range [][]string{beforeIdentity, beforeAuditEntries} {
		if _, err := provider.UpTo(t.Context(), int64(version)+1); err != nil {
			t.Fatal(err)
		}
		execAll(t, db, data...)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	checkUpgradedCIs(t, s)
	checkUpgradedAuditEntries(t, s)
}

func execAll(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
}

func checkUpgradedCIs(t *testing.T, s *Store) {
	t.Helper()
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		id      string
		at      time.Time
		name    string
		owner   any
		retired bool
	}{
		{upgradedLaptop, day(1, 2), "old", nil, false},
		{upgradedLaptop, day(1, 20), "new", nil, false},
		{upgradedLaptop, time.Time{}, "new", "Ada", false},
		{upgradedClone, day(2, 2), "clone", nil, false},
		{upgradedClone, time.Time{}, "clone", nil, true},
	} {
		ci, err := s.CI(t.Context(), c.id, c.at)
		if err != nil || ci.ID != c.id || ci.Name != c.name || ci.Attributes["owner"] != c.owner || (ci.RetiredAt != nil) != c.retired {
			t.Errorf("as of %v: %+v, %v; want %+v", c.at, ci.CI, err, c)
		}
	}
	record, err := s.Record(t.Context(), [32]byte(bytes.Repeat([]byte{1}, 32)))
	if err != nil || record.Version != 7 {
		t.Errorf("the laptop's record is at version %d, %v", record.Version, err)
	}
	var related []inventory.Relationship
	err = s.ListRelationships(t.Context(), inventory.RelationshipQuery{}, func(r inventory.Relationship, _ inventory.Position) error {
		related = append(related, r)
		return nil
	})
	if err != nil || len(related) != 1 || related[0].From.Name != "screen" || related[0].To.Name != "new" || len(related[0].Attributes) != 0 {
		t.Errorf("relationships %+v, %v", related, err)
	}
	identity, err := s.Identity(t.Context(), upgradedClone, time.Time{})
	if err != nil || len(identity.Constraints) != 1 || identity.Constraints[0].Linked {
		t.Errorf("the clone is kept apart by %+v, %v", identity.Constraints, err)
	}
}

func checkUpgradedAuditEntries(t *testing.T, s *Store) {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), `select actor || ': ' || reason from audit_entry order by at`)
	if err != nil {
		t.Fatal(err)
	}
	acts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ann: as HR says", "bob: agreed", "eve: "}, acts); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
}
