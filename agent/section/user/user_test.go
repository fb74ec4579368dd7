package user

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	_ "modernc.org/sqlite" // makes databases as wtmpdb does

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/hosttest"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const passwd = `root:x:0:0:root:/root:/bin/bash
gdm:x:121:128:Gnome Display Manager:/var/lib/gdm3:/bin/false
ada:x:1000:1000:Ada Lovelace,Room 7,,:/home/ada:/bin/bash
bob:x:1001:1001:,,,:/home/bob:/usr/bin/zsh
backup:x:1002:1002:Backup job:/srv:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/bin/bash
+::::::
`

func collectAll(t *testing.T, files map[string]string) ([]*inventoryv1.User, section.Report) {
	t.Helper()
	report := section.Run(t.Context(), hosttest.Tree(t, files), []section.Collector{Collector()})[0]
	var users []*inventoryv1.User
	for _, item := range report.Items {
		users = append(users, item.(*inventoryv1.User))
	}
	return users, report
}

func files(l *log) map[string]string {
	return map[string]string{"/etc/passwd": passwd, "/var/log/wtmp": string(l.data)}
}

func TestConsoleBeforeSSH(t *testing.T) {
	t.Parallel()
	l := newLog().boot(0).login("gdm", ":0", ":0", 0).login("ada", "tty2", ":0", 1).logout("tty2", 9).
		login("bob", "pts/0", "192.0.2.7", 1).logout("pts/0", 100).
		login("root", "tty3", "", 1).logout("tty3", 500).login("backup", "tty4", "", 1).login("gone", "tty5", "", 1).login("nobody", "tty6", "", 1)
	got, report := collectAll(t, files(l))
	want := []*inventoryv1.User{
		{Name: "ada", FullName: "Ada Lovelace", IsPrimary: true, LastLogin: timestamppb.New(at(1))},
		{Name: "bob", LastLogin: timestamppb.New(at(1))},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}

func TestNobodyAtTheScreen(t *testing.T) {
	t.Parallel()
	l := newLog().boot(0).login("ada", "pts/0", "192.0.2.7", 1).logout("pts/0", 2).login("bob", "pts/0", "192.0.2.8", 3).logout("pts/0", 6)
	got, _ := collectAll(t, files(l))
	want := []*inventoryv1.User{
		{Name: "bob", IsPrimary: true, LastLogin: timestamppb.New(at(3))},
		{Name: "ada", FullName: "Ada Lovelace", LastLogin: timestamppb.New(at(1))},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestDirectoryAccounts(t *testing.T) {
	t.Parallel()
	long := "eve@" + strings.Repeat("x", 28) // fills its field and may be truncated
	l := newLog().boot(0).login(`LAB\carl`, "tty2", "", 1).logout("tty2", 9).login("dora@lab.example.com", "tty2", "", 10).logout("tty2", 11).
		login(long, "tty2", "", 12).logout("tty2", 12.5).login("fred", "tty2", "", 13).logout("tty2", 13.2).login(`LAB\`, "tty2", "", 14)
	tree := files(l)
	key := func(users []*inventoryv1.User) (list []string) {
		for _, u := range users {
			list = append(list, fmt.Sprintf("%s of %q", u.Name, u.Domain))
		}
		return list
	}
	got, _ := collectAll(t, tree)
	want := []string{`carl of "LAB"`, `dora of "lab.example.com"`, `eve of ""`}
	if diff := cmp.Diff(want, key(got)); diff != "" {
		t.Errorf("without a directory (-want +got):\n%s", diff)
	}
	tree["/etc/nsswitch.conf"] = "# sources\npasswd:  files systemd sss # the directory\ngroup: files\n"
	got, _ = collectAll(t, tree)
	if diff := cmp.Diff(append(want, `fred of ""`), key(got)); diff != "" {
		t.Errorf("with a directory (-want +got):\n%s", diff)
	}
}

// TestRotation: a session that began in the rotated file continues in the current one.
func TestRotation(t *testing.T) {
	t.Parallel()
	before := newLog().boot(0).login("ada", "tty2", ":0", 1)
	after := newLog().login("bob", "tty3", "", 8).logout("tty3", 9).logout("tty2", 9)
	for name, rotated := range map[string]map[string]string{
		"by number": {"/var/log/wtmp.1": string(before.data), "/var/log/wtmp.2.gz": "?"},
		"by date":   {"/var/log/wtmp-20240101": "old", "/var/log/wtmp-20240301": string(before.data), "/var/log/wtmp-20240401.xz": "?"},
	} {
		tree := files(after)
		maps.Copy(tree, rotated)
		got, report := collectAll(t, tree)
		if len(got) != 2 || got[0].Name != "ada" || !got[0].IsPrimary || got[1].IsPrimary || report.Status != inventory.StatusOK {
			t.Errorf("%s: %v, %s", name, got, report.Message)
		}
	}
}

func TestLongRecordIsReadFromItsEnd(t *testing.T) {
	t.Parallel()
	l := newLog().login("bob", "tty2", "", 0).logout("tty2", 1000)
	for len(l.data) < maxRecords+100 {
		l.boot(1001)
	}
	l.login("ada", "tty2", "", 1002)
	got, _ := collectAll(t, files(l))
	if len(got) != 1 || got[0].Name != "ada" {
		t.Errorf("%v, want ada alone: bob's record is too far back", got)
	}
}

func TestManyUsers(t *testing.T) {
	t.Parallel()
	l, accounts := newLog(), ""
	for i := range 40 {
		name := fmt.Sprintf("user%d", i)
		accounts += fmt.Sprintf("%s:x:%d:100::/:/bin/sh\n", name, 2000+i)
		l.login(name, "tty1", "", float64(i)).logout("tty1", float64(i)+float64(i)/50)
	}
	got, _ := collectAll(t, map[string]string{"/etc/passwd": accounts, "/var/log/wtmp": string(l.data)})
	if len(got) != maxUsers || got[0].Name != "user39" || !got[0].IsPrimary {
		t.Errorf("%d users, first %v", len(got), got[0])
	}
}

// TestRecordedDatabase: on a system that was upgraded, the file of the old system is not the record
// of the present.
func TestRecordedDatabase(t *testing.T) {
	t.Parallel()
	report := section.Run(t.Context(), hosttest.Case(t, "user-wtmpdb", "root"), []section.Collector{Collector()})[0]
	if len(report.Items) != 1 || report.Status != inventory.StatusOK {
		t.Fatalf("%v, status %s: %s; want one user", report.Items, report.Status, report.Message)
	}
	user := report.Items[0].(*inventoryv1.User)
	if user.Name != "newuser" || !user.IsPrimary || user.LastLogin.AsTime().Year() != 2026 {
		t.Errorf("%v, want newuser of 2026", user)
	}
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	micro := func(hours float64) any { return at(hours).UnixMicro() }
	tree := map[string]string{"/etc/passwd": passwd, "/var/lib/wtmpdb/wtmp.db": database(t, [][]any{
		{1, "reboot", micro(0), micro(30), "~", "6.12.0", nil},
		{3, "ada", micro(1), micro(9), "tty2", "", "login"},
		{3, "bob", micro(1), micro(40), "ssh", "192.0.2.7", "sshd"},
		{3, "ada", micro(2), micro(3), "ssh", "192.0.2.7", "sshd"}, // ends no other session of the same terminal
		{1, "reboot", micro(41), nil, "~", "6.12.0", nil},
		{3, "bob", micro(42), nil, "tty3", ":0", "gdm"},
		{3, "ada", micro(45), micro(44), "tty2", "", "login"}, // the clock was set
		{3, "ada", -5, nil, "tty2", "", "login"},
		{9, "ada", micro(46), nil, "tty2", "", "login"},
	})}
	got, report := collectAll(t, tree)
	want := []*inventoryv1.User{
		{Name: "ada", FullName: "Ada Lovelace", IsPrimary: true, LastLogin: timestamppb.New(at(45))},
		{Name: "bob", LastLogin: timestamppb.New(at(42))},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || report.Status != inventory.StatusOK {
		t.Errorf("status %s: %s; users (-want +got):\n%s", report.Status, report.Message, diff)
	}
	tree["/var/lib/wtmpdb/wtmp.db"] = "not a database"
	if got, report := collectAll(t, tree); report.Status != inventory.StatusError || len(got) > 0 {
		t.Errorf("a broken database: %s: %s, %v", report.Status, report.Message, got)
	}
}

// database makes a database as wtmpdb does; the rows have all columns but the ID.
func database(t testing.TB, rows [][]any) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "wtmp.db")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	const table = `create table wtmp(ID integer primary key, Type integer, User text not null, Login integer,
		Logout integer, TTY text, RemoteHost text, Service text) strict`
	if _, err := db.ExecContext(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		const insert = "insert into wtmp (Type, User, Login, Logout, TTY, RemoteHost, Service) values (?, ?, ?, ?, ?, ?, ?)"
		if _, err := db.ExecContext(t.Context(), insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestUsersOfLongAgo: sessions from long before the last one do not count.
func TestUsersOfLongAgo(t *testing.T) {
	t.Parallel()
	const year = 365 * 24
	l := newLog().login("bob", "tty2", "", 0).logout("tty2", 500).boot(year).login("ada", "tty2", "", year+1).logout("tty2", year+2)
	if got, _ := collectAll(t, files(l)); len(got) != 1 || got[0].Name != "ada" {
		t.Errorf("%v, want ada alone", got)
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	records := parse(newLog().boot(0).login("ada", "tty2", "", 1).data)
	for _, c := range []struct {
		started float64
		want    bool
	}{{0, false}, {20, false}, {1000, true}} {
		if got := givenUp(records, at(c.started)); got != c.want {
			t.Errorf("started after %v hours: %v, want %v", c.started, got, c.want)
		}
	}
	if givenUp(parse(newLog().login("ada", "tty2", "", 1).data), at(1000)) {
		t.Error("a container's record has no starts")
	}
}

// FuzzDatabase: damaged databases are read without a panic and without impossible times.
func FuzzDatabase(f *testing.F) {
	f.Add([]byte(database(f, [][]any{{3, "ada", at(1).UnixMicro(), at(9).UnixMicro(), "tty2", "", "login"}})))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, _ := readDatabase(t.Context(), hosttest.Tree(t, map[string]string{wtmpdb: string(data)}))
		for _, r := range records {
			if r.at.Unix() < 0 || r.at.Unix() > maxSeconds {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	if _, report := collectAll(t, map[string]string{"/etc/passwd": passwd}); report.Status != inventory.StatusUnsupported ||
		!strings.Contains(report.Message, "no record of sessions in /var/log/wtmp") {
		t.Errorf("without a record: %s: %s", report.Status, report.Message)
	}
	if got, report := collectAll(t, files(newLog())); report.Status != inventory.StatusOK || len(got) > 0 {
		t.Errorf("an empty record: %s: %s, %v", report.Status, report.Message, got)
	}
	broken := files(newLog().login("ada", "tty2", "", 1))
	broken["/var/log/wtmp.1/"] = ""
	if got, report := collectAll(t, broken); report.Status != inventory.StatusPartial || len(got) != 1 {
		t.Errorf("the file before cannot be read: %s: %s, %v", report.Status, report.Message, got)
	}
}

func TestLogons(t *testing.T) {
	t.Parallel()
	const machine = "S-1-5-21-1004336348-1177238915-682003330-"
	for _, c := range []struct {
		name   string
		logons []host.Logon
		want   []*inventoryv1.User
	}{
		{"nobody yet", nil, nil},
		{"domain account, and two of the machine", []host.Logon{
			{SID: machine + "500", Account: `PC7\Administrator`, LoadedAt: at(9)},
			{SID: machine + "1001", Account: `PC7\setup`, LoadedAt: at(1)},
			{SID: "S-1-5-21-1-2-3-1104", Account: `CORP\ada`, Principal: `ada@corp.example.com`, DisplayName: "Ada Lovelace", LoadedAt: at(5), Last: true},
		}, []*inventoryv1.User{
			{Name: "ada", Domain: "CORP", FullName: "Ada Lovelace", IsPrimary: true, LastLogin: timestamppb.New(at(5))},
			{Name: "setup", Domain: "PC7", LastLogin: timestamppb.New(at(1))},
		}},
		{"Entra ID", []host.Logon{{SID: "S-1-12-1-1-2-3-4", Account: `AzureAD\AdaLovelace`, Principal: `AzureAD\ada@example.com`, Last: true}},
			[]*inventoryv1.User{{Name: "ada", Domain: "example.com", IsPrimary: true}}},
		{"Entra ID without a principal", []host.Logon{{Account: `AzureAD\AdaLovelace`, Last: true}},
			[]*inventoryv1.User{{Name: "AdaLovelace", Domain: "AzureAD", IsPrimary: true}}},
		{"principal only", []host.Logon{{Principal: `ada@example.com`, Last: true}}, []*inventoryv1.User{{Name: "ada", Domain: "example.com", IsPrimary: true}}},
		{"account of this machine", []host.Logon{{Account: `.\ada`, Last: true}}, []*inventoryv1.User{{Name: "ada", IsPrimary: true}}},
		{"the built-in administrator, a service", []host.Logon{{SID: machine + "500", Account: `PC7\Administrator`, Last: true}, {SID: "S-1-5-80-1000", Account: `NT SERVICE\x`}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, ofLogons(c.logons), protocmp.Transform()); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkCollect(b *testing.B) {
	l := newLog()
	for len(l.data) < maxRecords {
		l.login("ada", "tty2", "", 1).logout("tty2", 2)
	}
	h := hosttest.Tree(b, files(l))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := collect(b.Context(), h); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNoAccountsFile: without the file, people cannot be distinguished from other accounts.
func TestNoAccountsFile(t *testing.T) {
	t.Parallel()
	tree := files(newLog().login("ada", "tty2", "", 1))
	delete(tree, "/etc/passwd")
	if _, report := collectAll(t, tree); report.Status != inventory.StatusError || !strings.Contains(report.Message, "read accounts") {
		t.Errorf("status %s: %s", report.Status, report.Message)
	}
}
