package identify_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// corpus returns the files of a corpus, which lies beside the checkout.
func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found, err := filepath.Glob(filepath.Join(dir, "..", "shared", "corpora", pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return found
		}
	}
	t.Skipf("nothing is at ../shared/corpora/%s", pattern)
	return nil
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// smbiosTables returns a report of each machine of the corpus.
func smbiosTables(t *testing.T) []report {
	t.Helper()
	type part struct{ Manufacturer, Serial, UUID string }
	var reports []report
	for i, path := range corpus(t, "smbios/*/expected.json") {
		var table struct {
			System     part
			Baseboards []part
			Chassis    []part
		}
		readJSON(t, path, &table)
		ids := inventory.RawIdentifiers{Manufacturer: table.System.Manufacturer, SerialNumber: table.System.Serial, UUID: table.System.UUID}
		if len(table.Baseboards) > 0 {
			ids.BoardManufacturer, ids.BoardSerial = table.Baseboards[0].Manufacturer, table.Baseboards[0].Serial
		}
		if len(table.Chassis) > 0 {
			ids.ChassisManufacturer, ids.ChassisSerial = table.Chassis[0].Manufacturer, table.Chassis[0].Serial
		}
		reports = append(reports, report{Record: filepath.Base(filepath.Dir(path)), At: float64(i + 1), IDs: ids})
	}
	return reports
}

// TestSMBIOSTables reports the machines of the corpus in five orders, each twice: they are the same CIs each time, one
// for each machine but for those of which the corpus has several tables.
func TestSMBIOSTables(t *testing.T) {
	t.Parallel()
	reports := smbiosTables(t)
	want := [][]string{
		{"dell-ES3020", "dell-PE2600"},   // one table, with the name of who sold it
		{"jcr-dmi", "jcr-dmidecode"},     // one machine
		{"jcr-dmi.0"},                    // its identifiers are masked
		{"uroot-Gigabyte-GA-MA74GMT-S2"}, // it has a UUID only
	}
	var first map[string]string
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 0))
		l := newLattice(identify.Default())
		for _, r := range append(shuffle(random, reports), shuffle(random, reports)...) {
			l.add(r)
		}
		p := identify.Default().Partition(l.candidateSet(nil))
		groups := l.groups(p)
		if len(groups) != len(reports)-2 {
			t.Errorf("%d machines are %d CIs, want %d", len(reports), len(groups), len(reports)-2)
		}
		for _, group := range want {
			if !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, group) }) {
				t.Errorf("no CI of %v, but %v", group, groups)
			}
		}
		cis := l.cis(p)
		if first == nil {
			first = cis
		}
		if diff := cmp.Diff(first, cis); diff != "" {
			t.Errorf("in another order (-first +now):\n%s", diff)
		}
	}
}

// refused are the values that a product refuses as identifiers.
type refused struct {
	Serial, UUID, MAC, Model, Manufacturer []string
}

// TestBlacklists holds the values that other products refuse against the rules.
func TestBlacklists(t *testing.T) {
	t.Parallel()
	for _, path := range corpus(t, "blacklists/*.json") {
		if strings.HasPrefix(filepath.Base(path), "observed") {
			continue
		}
		var list refused
		readJSON(t, path, &list)
		for kind, values := range map[string][]string{
			"serial_number": list.Serial, "uuid": list.UUID, "mac": list.MAC, "model": list.Model, "manufacturer": list.Manufacturer,
		} {
			for _, value := range values {
				if strings.HasPrefix(value, "/") {
					continue // an expression; see examples
				}
				if pattern, ok := identify.Default().Honest(kind, value); ok {
					t.Errorf("%s: %s %q is honest", filepath.Base(path), kind, value)
				} else if pattern == "" {
					t.Errorf("%s %q is rejected for no reason", kind, value)
				}
			}
		}
	}
}

// TestExpressions has examples of the expressions that other products refuse by.
func TestExpressions(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"0", "00000", "1111", "0110", "1.2", "1.2.3"} {
		if _, ok := identify.Default().Honest("serial_number", value); ok {
			t.Errorf("serial_number %q is honest", value)
		}
	}
	// An expression that is not anchored also finds what is within a real number.
	if pattern, ok := identify.Default().Honest("serial_number", "CN7220.1.25J0382"); !ok {
		t.Errorf("a real number is rejected by %s", pattern)
	}
	if _, ok := identify.Default().Honest("mac", "00:50:56:C0:0A:FF"); ok {
		t.Error("an address of a virtual network of the host's is honest")
	}
}

// meant are the frequent values that mean something, though no serial number: names of products, families and versions.
var meant = []string{
	"Surface", "iMac", "SDK0J40697 WIN", "IDEAPAD", "M1010", "Latitude", "Inspiron", "ProLiant", "103C_5335KV HP Notebook", "Super Server", "Standard",
	"103C_53307F G=D", "ASUS MB", "V1.10", "SDK0J40709 WIN", "Acer Desktop", "103C_5335KV HP Pavilion", "Intel NUC", "ASUS-NotebookSKU", "Precision",
	"103C_5336AN", "103C_5335KV HP Envy", "Server", "Raspberry Pi 4 Model B", "SDK0J40700 WIN", "Intel_Mobile", "103C_53316J G=D", "ThinkPad L13 Yoga Gen 2",
	"103C_5335KV", "OptiPlex", "103C_5335KV HP Spectre", "103C_5335KV G=N L=CON B=HP S=PAV", "Vivo PC", "iMac12,2", "VivoBook", "MIIX 310-10ICR", "SKU1",
	"103C_5336AN HP EliteBook", "iMac19,1", "VAIO", "103C_5336AN HP EliteBook x360", "Macmini7,1", "MateBook D", "MacBook Pro", "Macmini",
	"Lenovo MIIX 320-10ICR", "Vivobook", "Raspberry Pi", "iMac18,3", "iMac17,1", "SDK0T76463 WIN", "IdeaPad Flex 5 14ARE05",
	"103C_5336AN G=N L=BUS B=HP S=ELI", "X570 MB", "Macmini6,1",
}

// TestFrequentValues holds the most frequent strings of many machines' tables against the rules: what is no name of
// anything is no serial number either.
func TestFrequentValues(t *testing.T) {
	t.Parallel()
	var values []struct{ Value string }
	readJSON(t, corpus(t, "blacklists/observed-dmi-value-frequency.json")[0], &values)
	for _, v := range values {
		pattern, ok := identify.Default().Honest("serial_number", v.Value)
		if ok && !slices.Contains(meant, v.Value) {
			t.Errorf("serial_number %q is honest", v.Value)
		}
		if _, ok := identify.Default().Honest("model", v.Value); !ok && slices.Contains(meant, v.Value) && v.Value != "V1.10" {
			t.Errorf("model %q is rejected by %s", v.Value, pattern)
		}
	}
}

// TestRealNumbersAreHonest lists what is rejected of the corpus of tables: nothing that tells machines apart.
func TestRealNumbersAreHonest(t *testing.T) {
	t.Parallel()
	rejected := map[string][]string{}
	for _, r := range smbiosTables(t) {
		_, rejections := identify.Default().Normalize(r.IDs)
		for _, rejection := range rejections {
			if rejection.Pattern != "repeats-serial" {
				rejected[rejection.Pattern] = append(rejected[rejection.Pattern], rejection.Kind+" "+rejection.Value)
			}
		}
	}
	for pattern, values := range rejected {
		slices.Sort(values)
		rejected[pattern] = slices.Compact(values)
	}
	want := map[string][]string{
		"malformed":       {"uuid Not Settable"},
		"serial/counted":  {"chassis 0123456789"},
		"serial/repeated": {"board .XXXXXXX.XXXXXXXXXXXXXX.", "chassis XXXXXXX", "serial XXXXXXX"},
		"text/default":    {"board Default string", "chassis Default string", "serial Default string"},
		"text/none":       {"board None", "chassis None"},
		"text/not-there":  {"chassis Not Available", "chassis Not Specified", "serial Not Specified"},
		"uuid/counted":    {"uuid 00112233-4455-6677-8899-aabbccddeeff"},
	}
	if diff := cmp.Diff(want, rejected); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
