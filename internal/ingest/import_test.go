package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

// corpus finds a file of the corpora that lie beside the project, or skips the test.
func corpus(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "corpora", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the corpora are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (e *fixture) load(t testing.TB, format, body string, o inventory.ImportOptions) inventory.ImportReport {
	t.Helper()
	o.Format = format
	report, err := e.ingester.Import(t.Context(), strings.NewReader(body), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (e *fixture) count(t testing.TB, class string) int {
	t.Helper()
	n := 0
	err := e.ListCIs(t.Context(), inventory.CIQuery{Class: class}, func(inventory.CI, inventory.Position) error {
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const orders = `serial_number;manufacturer;class;purchase_order;cost;purchase_date
SVC0001;Dell;laptop;PO-1;1199.90;2026-01-02
SVC0002;Dell Inc.;laptop;PO-1;1199.90;2026-01-02
SVC0003;DELL;laptop;PO-2;899;2026-02-30
`

func TestImportOfAPurchaseList(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	_, known := e.agent(t, laptop(2))

	dry := e.load(t, "csv", orders, inventory.ImportOptions{Name: "purchases", DryRun: true})
	if dry.Created != 2 || dry.Changed != 1 || dry.Rejected != 0 || e.count(t, "computer") != 1 {
		t.Fatalf("dry run: %+v, and there are %d computers", dry, e.count(t, "computer"))
	}
	first := e.load(t, "csv", orders, inventory.ImportOptions{Name: "purchases"})
	if first.Created != 2 || first.Changed != 1 || first.Rejected != 0 {
		t.Errorf("first: %+v", first)
	}
	const wrong = `row 4: column "purchase_date": "2026-02-30" is not a date`
	if row := first.Documents[2]; row.Position != "row 4" || !strings.HasPrefix(strings.Join(row.Warnings, " "), wrong) {
		t.Errorf("the row with the wrong date: %+v", row)
	}
	if got := e.ci(t, first.Documents[2].CI, time.Time{}).Attributes; got["purchase_order"] != "PO-2" || got["purchase_date"] != nil {
		t.Errorf("attributes of the row with the wrong date: %v", got)
	}
	if row := first.Documents[1]; row.CI != known {
		t.Errorf("the ordered laptop is %s, the agent reports on %s", row.CI, known)
	}
	again := e.load(t, "csv", orders, inventory.ImportOptions{Name: "purchases"})
	if again.Unchanged != 3 || e.count(t, "computer") != 3 {
		t.Errorf("again: %+v", again)
	}
	if got := e.ci(t, known, time.Time{}).Attributes["purchase_order"]; got != "PO-1" {
		t.Errorf("purchase order %v", got)
	}
}

const (
	desks = "Tag;Maker;Serial;Office;User\nA-1;Dell;SVC0001;Berlin;ada\nA-2;Dell;SVC0002;Berlin;bob\nA-3;Dell;SVC0003;;\n"

	desksMapping = `{"key": ["Tag"], "class": "laptop", "columns": {"Tag": "asset_tag", "Maker": "manufacturer", "Serial": "serial_number"},
		"relationships": {"Office": {"type": "located_in", "class": "location"}, "User": {"type": "used_by", "class": "person", "by": "login"}}}`
)

// TestListsRelate imports a list that relates its rows to locations and people by name. CIs that it
// names and that do not exist are created. A relationship ends when the next list lacks it.
func TestListsRelate(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	ada, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "person", Name: "Ada", Attributes: inventory.Attributes{"login": "ada"}}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	options := inventory.ImportOptions{Name: "desks", Mapping: []byte(desksMapping)}
	first := e.load(t, "csv", desks, options)
	if first.Created != 3 || e.count(t, "location") != 1 || e.count(t, "person") != 2 {
		t.Fatalf("%+v; %d locations, %d persons", first, e.count(t, "location"), e.count(t, "person"))
	}
	if reported := strings.Join(first.Documents[0].Warnings, "; "); !strings.Contains(reported, "no location with the name Berlin yet") || strings.Contains(reported, "ada") {
		t.Errorf("warnings of the first row: %s", reported)
	}
	of := func(row int, kind string) []string { return e.related(t, first.Documents[row].CI, kind, time.Time{}) }
	berlin := of(0, "located_in")
	if len(berlin) != 1 || !slices.Equal(of(1, "located_in"), berlin) || !slices.Equal(of(0, "used_by"), []string{ada}) || len(of(2, "located_in")) != 0 {
		t.Errorf("A-1 is in %v and used by %v, A-2 is in %v, A-3 in %v", berlin, of(0, "used_by"), of(1, "located_in"), of(2, "located_in"))
	}
	h := laptop(1)
	h.serial = "SVC0001"
	if _, ci := e.agent(t, h); ci != first.Documents[0].CI || !slices.Equal(of(0, "located_in"), berlin) {
		t.Errorf("the agent's %s is in %v", ci, e.related(t, ci, "located_in", time.Time{}))
	}
	if again := e.load(t, "csv", desks, options); again.Unchanged != 3 || e.count(t, "location") != 1 {
		t.Errorf("again: %+v", again)
	}
	moved := e.load(t, "csv", strings.Replace(desks, "SVC0001;Berlin;ada", "SVC0001;Paris;bob", 1), options)
	if moved.Changed != 1 || moved.Documents[0].Outcome != "changed" {
		t.Errorf("moved: %+v", moved)
	}
	if now := of(0, "located_in"); len(now) != 1 || slices.Equal(now, berlin) || !slices.Equal(of(0, "used_by"), of(1, "used_by")) {
		t.Errorf("A-1 moved to %v, and is used by %v", now, of(0, "used_by"))
	}
}

// TestListsMatch imports a list whose mapping names the attribute that identifies known CIs. A
// value that several CIs have, or a CI of another base class, rejects the row.
func TestListsMatch(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	known := map[string]string{}
	for _, made := range []struct{ class, name, tag string }{
		{"laptop", "one", "A-1"}, {"laptop", "two", "A-2"}, {"laptop", "double", "A-2"}, {"monitor", "screen", "A-3"},
	} {
		ci, err := e.CreateCI(t.Context(), inventory.NewCI{Class: made.class, Name: made.name, Attributes: inventory.Attributes{"asset_tag": made.tag}}, auditor)
		if err != nil {
			t.Fatal(err)
		}
		known[made.name] = ci
	}
	options := inventory.ImportOptions{Name: "owners", Mapping: []byte(`{"match": "asset_tag", "class": "laptop", "columns": {"Tag": "asset_tag", "Owner": "owner"}}`)}
	const owners = "Tag;Owner\nA-1;Ada\nA-2;Bob\nA-3;Eve\nA-4;Dan\n"
	report := e.load(t, "csv", owners, options)
	if row := report.Documents[0]; row.CI != known["one"] || row.Outcome != "changed" || e.ci(t, row.CI, time.Time{}).Attributes["owner"] != "Ada" {
		t.Errorf("A-1: %+v", row)
	}
	for i, says := range map[int]string{1: "there are 2 CIs with the asset_tag A-2", 2: "is a monitor, not a computer"} {
		if row := report.Documents[i]; !strings.Contains(row.Problem, says) {
			t.Errorf("%+v, want %s", row, says)
		}
	}
	if row := report.Documents[3]; row.Outcome != "created" {
		t.Errorf("A-4: %+v", row)
	}
	if again := e.load(t, "csv", owners, options); again.Unchanged != 2 {
		t.Errorf("again: %+v", again)
	}
	identity, err := e.Identity(t.Context(), known["one"], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UndoDecision(t.Context(), identity.Decisions[0].ID, auditor); err != nil {
		t.Fatal(err)
	}
	if row := e.load(t, "csv", owners, options).Documents[0]; row.CI == known["one"] {
		t.Errorf("what a person parted, the list joined again: %+v", row)
	}
}

// TestExportedListsComeBack: a list that was exported and edited is about the CIs that it was
// exported of.
func TestExportedListsComeBack(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	ci, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "monitor", Name: "screen"}, auditor)
	if err != nil {
		t.Fatal(err)
	}
	options := inventory.ImportOptions{Name: "edited", Mapping: []byte(`{"match": "id"}`)}
	list := "id,class,name,first_seen,owner\n" + ci + ",monitor,screen,2026-01-01T00:00:00Z,Ada\n0193ab00-0000-7000-8000-000000000000,monitor,none,,Eve\n"
	report := e.load(t, "csv", list, options)
	if row := report.Documents[0]; row.CI != ci || e.ci(t, ci, time.Time{}).Attributes["owner"] != "Ada" {
		t.Errorf("%+v", row)
	}
	if reported := strings.Join(report.Warnings, "; "); !strings.Contains(reported, `column "first_seen" is ignored`) || strings.Contains(reported, `"id"`) {
		t.Errorf("warnings about all rows: %s", reported)
	}
	if row := report.Documents[1]; !strings.Contains(row.Problem, "there is no CI with the id") || e.count(t, "") != 1 {
		t.Errorf("an id of nothing: %+v, %d CIs", row, e.count(t, ""))
	}
}

// TestListsOfAnyClass: a column may say any class that there is, by its name or its label. A
// mapping that names what there is not is refused.
func TestListsOfAnyClass(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	if err := e.CreateClass(t.Context(), inventory.Class{Name: "projector", Parent: "peripheral", Label: "Video projector"}); err != nil {
		t.Fatal(err)
	}
	e.load(t, "csv", "Name;Class\nA;projector\nB;Video Projector\nC;location\nD;business_service\n", inventory.ImportOptions{Name: "all"})
	for class, want := range map[string]int{"projector": 2, "location": 1, "business_service": 1} {
		if n := e.count(t, class); n != want {
			t.Errorf("%d of the class %s, want %d", n, class, want)
		}
	}
	for says, mapping := range map[string]string{
		"there is no class toaster":             `{"class": "toaster"}`,
		"there is no attribute serial_nr":       `{"columns": {"Name": "serial_nr"}}`,
		"match is asset_tag, but no column has": `{"match": "asset_tag", "columns": {"Name": "name"}}`,
	} {
		_, err := e.ingester.Import(t.Context(), strings.NewReader("Name\nA\n"), inventory.ImportOptions{Format: "csv", Mapping: []byte(mapping)})
		var refused *inventory.Error
		if !errors.As(err, &refused) || refused.Code != inventory.CodeInvalid || !strings.Contains(refused.Message, says) {
			t.Errorf("%s: %v", mapping, err)
		}
	}
}

// TestListsNameTheirOwn: rows name other rows of their list, before them or after, and nothing is
// made for it.
func TestListsNameTheirOwn(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	options := inventory.ImportOptions{Name: "racks", Mapping: []byte(`{"key": ["Tag"], "class": {"column": "Kind"}, "columns": {"Tag": "asset_tag", "Name": "name"},
		"relationships": {"In": {"type": "contains", "class": "ci", "by": "asset_tag", "inverse": true}}}`)}
	const list = "Tag;Name;Kind;In\nS-1;web;server;R-1\nR-1;rack;peripheral;R-0\nR-0;row;peripheral;\n"
	dry := e.load(t, "csv", list, inventory.ImportOptions{Name: "racks", Mapping: options.Mapping, DryRun: true})
	first := e.load(t, "csv", list, options)
	for name, report := range map[string]inventory.ImportReport{"dry run": dry, "first": first} {
		for _, row := range report.Documents {
			if row.Outcome != "created" || len(row.Warnings) != 0 {
				t.Errorf("%s: %+v", name, row)
			}
		}
	}
	if n := e.count(t, ""); n != 3 {
		t.Errorf("%d CIs of 3 rows", n)
	}
	in := func(row int) []string { return e.related(t, first.Documents[row].CI, "contains", time.Time{}) }
	rack, row := first.Documents[1].CI, first.Documents[2].CI
	if !slices.Equal(in(0), []string{rack}) || len(in(1)) != 2 || !slices.Equal(in(2), []string{rack}) {
		t.Errorf("the server is in %v, the rack related to %v, the row to %v; want %s and %s", in(0), in(1), in(2), rack, row)
	}
	since := e.relationship(t, first.Documents[0].CI, "contains").ID
	if again := e.load(t, "csv", list, options); again.Unchanged != 3 || e.relationship(t, first.Documents[0].CI, "contains").ID != since {
		t.Errorf("again: %+v", again)
	}
	double := e.load(t, "csv", list+"R-2;rack;peripheral;\nS-2;db;server;rack\n", inventory.ImportOptions{Name: "racks",
		Mapping: []byte(strings.Replace(string(options.Mapping), `, "by": "asset_tag"`, "", 1))})
	if row := double.Documents[4]; row.Outcome != "created" || !strings.Contains(strings.Join(row.Warnings, " "), "there are 2 CIs") {
		t.Errorf("a name that two rows have: %+v", row)
	}
	if moved := e.load(t, "csv", strings.Replace(list, "server;R-1", "server;R-0", 1), options); moved.Documents[0].Outcome != "changed" ||
		!slices.Equal(in(0), []string{row}) {
		t.Errorf("moved: %+v, in %v", moved.Documents[0], in(0))
	}
}

// TestListsNameWrongly: a list whose relationships are impossible is rejected row by row, and makes
// nothing. A name that cannot be meant costs only its relationship.
func TestListsNameWrongly(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		relation string
		rejects  bool
	}{
		"there are 2 CIs of the class location with the name Berlin": {`{"type": "located_in", "class": "location"}`, false},
		"attribute cost: Berlin is not a valid number":               {`{"type": "located_in", "class": "location", "by": "cost"}`, false},
		"there is no relationship type stands_in":                    {`{"type": "stands_in", "class": "location"}`, true},
		"class location has no attribute login":                      {`{"type": "located_in", "class": "location", "by": "login"}`, true},
		"monitor is not a location":                                  {`{"type": "located_in", "class": "monitor"}`, true},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			e := newFixture(t)
			for range 2 {
				if _, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "location", Name: "Berlin"}, auditor); err != nil {
					t.Fatal(err)
				}
			}
			options := inventory.ImportOptions{Name: "desks", Mapping: []byte(`{"class": "laptop", "columns": {"Tag": "asset_tag"}, "relationships": {"Office": ` + c.relation + `}}`)}
			got := e.load(t, "csv", desks, options)
			created, says := 3, strings.Join(got.Documents[0].Warnings, "; ")
			if c.rejects {
				created, says = 1, got.Documents[0].Problem
			}
			if got.Created != created || got.Rejected != 3-created || !strings.Contains(says, text) || e.count(t, "") != 2+created {
				t.Errorf("%+v; %d CIs", got, e.count(t, ""))
			}
		})
	}
}

// TestAmbiguousNameKeepsTheRelationship: when a second CI gets the name that a list uses, the list
// still relates its rows as before.
func TestAmbiguousNameKeepsTheRelationship(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	options := inventory.ImportOptions{Name: "desks", Mapping: []byte(desksMapping)}
	first := e.load(t, "csv", desks, options)
	berlin := e.related(t, first.Documents[0].CI, "located_in", time.Time{})
	if _, err := e.CreateCI(t.Context(), inventory.NewCI{Class: "location", Name: "Berlin"}, auditor); err != nil {
		t.Fatal(err)
	}
	again := e.load(t, "csv", desks, options)
	if now := e.related(t, first.Documents[0].CI, "located_in", time.Time{}); again.Unchanged != 3 || !slices.Equal(now, berlin) {
		t.Errorf("%+v: located in %v, before in %v", again, now, berlin)
	}
}

func TestBrokenFileChangesNothing(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for format, body := range map[string]string{
		"csv":                 "\"" + orders,
		"fusioninventory-xml": "<REQUEST><CONTENT><BIOS><SSN>1</SSN></CONTENT></REQUEST>",
		"glpi-json":           `{"deviceid":"x","content":{`,
		"punched-cards":       "",
	} {
		_, err := e.ingester.Import(t.Context(), strings.NewReader(body), inventory.ImportOptions{Format: format})
		var refused *inventory.Error
		if !errors.As(err, &refused) || refused.Code != inventory.CodeInvalid {
			t.Errorf("%s: %v", format, err)
		}
	}
	if n := e.count(t, ""); n != 0 {
		t.Errorf("broken files made %d cis", n)
	}
}

// TestRealInventories imports what real agents wrote, twice.
func TestRealInventories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, file string }{
		{"glpi-json", "inventories/glpi-json/computer_1.json"},
		{"glpi-json", "inventories/glpi-json/computer_2.json"},
		{"glpi-json", "inventories/glpi-json/printer_1.json"},
		{"fusioninventory-xml", "inventories/fusioninventory-xml/1.xml"},
		{"fusioninventory-xml", "inventories/fusioninventory-xml/3.xml"},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			t.Parallel()
			body := string(corpus(t, c.file))
			e := newFixture(t)
			first := e.load(t, c.format, body, inventory.ImportOptions{})
			if len(first.Documents) == 0 || first.Created != len(first.Documents) {
				t.Fatalf("first: %+v", first)
			}
			if again := e.load(t, c.format, body, inventory.ImportOptions{}); again.Unchanged != len(first.Documents) {
				t.Errorf("again: %+v", again)
			}
			ci := e.ci(t, first.Documents[0].CI, time.Time{})
			e.wantNoDurations(t, ci.ID)
			t.Logf("%s %q: %v, %d other cis", ci.Class, ci.Name, ci.Attributes, e.count(t, "")-1)
		})
	}
}

// wantNoDurations: how long another program collected is not known.
func (e *fixture) wantNoDurations(t *testing.T, device string) {
	t.Helper()
	err := e.ListDeviceSections(t.Context(), device, inventory.Page{}, func(s inventory.DeviceSection, _ inventory.Position) error {
		if s.DurationMS != nil {
			t.Errorf("section %s took %d ms", s.Name, *s.DurationMS)
		}
		return nil
	})
	var refused *inventory.Error
	if err != nil && (!errors.As(err, &refused) || refused.Code != inventory.CodeNotFound) { // a printer is no device
		t.Error(err)
	}
}

// TestPartialInventoryTakesNothingBack imports a whole inventory and then one with memory alone.
func TestPartialInventoryTakesNothingBack(t *testing.T) {
	t.Parallel()
	whole, part := string(corpus(t, "inventories/glpi-json/computer_1.json")), string(corpus(t, "inventories/glpi-json/computer_1_partial_memory.json"))
	e := newFixture(t)
	ci := e.load(t, "glpi-json", whole, inventory.ImportOptions{}).Documents[0].CI
	before := e.ci(t, ci, time.Time{})
	people := e.related(t, ci, "used_by", time.Time{})
	e.load(t, "glpi-json", part, inventory.ImportOptions{})
	if diff := cmp.Diff(before.Attributes, e.ci(t, ci, time.Time{}).Attributes); diff != "" {
		t.Errorf("the partial inventory changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(people, e.related(t, ci, "used_by", time.Time{})); diff != "" {
		t.Errorf("the partial inventory took people away (-before +after):\n%s", diff)
	}
}

// TestParallelImports has eight clients import overlapping lists at the same time, round after
// round.
func TestParallelImports(t *testing.T) {
	t.Parallel()
	const clients, rounds, machines = 8, 20, 12
	e := newFixture(t)
	var wait sync.WaitGroup
	errs := make(chan error, clients)
	for client := range clients {
		wait.Go(func() {
			for round := range rounds {
				body := "serial_number,manufacturer,class,hostname,owner\n"
				for n := range machines {
					if (n+client)%3 > 0 { // the lists overlap
						body += fmt.Sprintf("SN-%04d,Lenovo,laptop,host-%d,owner-%d-%d\n", 1000+n, n, client, round)
					}
				}
				o := inventory.ImportOptions{Format: "csv", Name: fmt.Sprintf("list-%d", client%4)}
				if _, err := e.ingester.Import(t.Context(), strings.NewReader(body), o); err != nil {
					errs <- fmt.Errorf("client %d, round %d: %w", client, round, err)
					return
				}
			}
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if n := e.count(t, "computer"); n != machines {
		t.Errorf("%d lists of %d machines made %d cis", clients*rounds, machines, n)
	}
	last := fmt.Sprintf("-%d", rounds-1)
	err := e.ListCIs(t.Context(), inventory.CIQuery{Class: "laptop"}, func(ci inventory.CI, _ inventory.Position) error {
		if owner, _ := ci.Attributes["owner"].(string); !strings.HasSuffix(owner, last) {
			t.Errorf("%s is owned by %q: the last round's word was lost", ci.Name, owner)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTwoInventoriesOfOneMachine imports what one machine reported at two times: it is one CI, and
// the feed of changes has exactly what differs.
func TestTwoInventoriesOfOneMachine(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"computer_1.json", "computer_1_partial_softs.json"},
		{"computer_1.json", "computer_1_partial_volumes.json"},
		{"computer_1.json", "computer_1_partial_cpu.json"},
		{"computer_1.json", "computer_1_partial_memory.json"},
	} {
		t.Run(pair[1], func(t *testing.T) {
			t.Parallel()
			before := string(corpus(t, "inventories/glpi-json/"+pair[0]))
			after := string(corpus(t, "inventories/glpi-json/"+pair[1]))
			e := newFixture(t)
			ci := e.load(t, "glpi-json", before, inventory.ImportOptions{}).Documents[0].CI
			since := e.now(t)
			report := e.load(t, "glpi-json", after, inventory.ImportOptions{})
			if got := report.Documents[0].CI; got != ci {
				t.Fatalf("the second inventory is of %s, the first of %s", got, ci)
			}
			want := differences(t, before, after)
			if diff := cmp.Diff(want, e.itemChanges(t, ci, since)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			t.Logf("%d changes of items", len(want))
		})
	}
}

// differences returns the items that only one of two inventories has, in the sections of the
// second.
func differences(t *testing.T, before, after string) []string {
	t.Helper()
	was, is := factsOf(t, before), factsOf(t, after)
	list := []string{}
	for section, items := range is {
		for _, item := range items {
			if !slices.Contains(was[section], item) {
				list = append(list, "+ "+section+" "+item)
			}
		}
		for _, item := range was[section] {
			if !slices.Contains(items, item) {
				list = append(list, "- "+section+" "+item)
			}
		}
	}
	slices.Sort(list)
	return list
}

func factsOf(t *testing.T, body string) map[string][]string {
	t.Helper()
	docs, err := importer.Read("glpi-json", strings.NewReader(body), importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for _, s := range docs[0].Sections {
		list[s.Name] = facts(t, s.Name, s.Items)
	}
	return list
}

// itemChanges lists the item changes of a CI's feed in the form of differences.
func (e *fixture) itemChanges(t *testing.T, ci string, since time.Time) []string {
	t.Helper()
	list := []string{}
	q := inventory.FeedQuery{CI: ci, Since: since, Type: "item"}
	err := e.ListChanges(t.Context(), q, func(c inventory.FeedChange, _ inventory.Position) error {
		if c.New != nil {
			list = append(list, "+ "+c.Subject+" "+string(c.New))
		}
		if c.Old != nil {
			list = append(list, "- "+c.Subject+" "+string(c.Old))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}
