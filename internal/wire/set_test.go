package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func newSoftware(name, version string, size uint64) *inventoryv1.Software {
	return &inventoryv1.Software{Source: "dpkg", Name: name, Arch: "amd64", Version: version, SizeBytes: &size}
}

func softwareSection(t testing.TB) *Section {
	t.Helper()
	s, ok := Lookup("software")
	if !ok {
		t.Fatal("the .proto has no section software")
	}
	return s
}

func TestNewSet(t *testing.T) {
	t.Parallel()
	section := softwareSection(t)
	bad := newSoftware("caf\xe9", "1", 4)
	set, verdicts := section.NewSet([]proto.Message{
		newSoftware("bash", "5.2", 1),
		newSoftware("bash", "5.2", 2), // equal facts: the same item
		newSoftware("kernel", "6.1", 3),
		newSoftware("kernel", "6.2", 3), // equal keys: readings cannot be told apart
		bad,
		&inventoryv1.Service{Name: "cron"},
	})

	type row struct{ Facts, Readings string }
	var got []row
	for _, item := range set.Items() {
		facts, err := section.Decode(item.Facts)
		if err != nil {
			t.Fatal(err)
		}
		readings, err := section.Decode(item.Readings)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row{string(AppendJSON(nil, facts)), string(AppendJSON(nil, readings))})
	}
	want := []row{
		{`{"source":"dpkg","name":"bash","arch":"amd64","version":"5.2"}`, `{"size_bytes":1}`},
		{`{"source":"dpkg","name":"kernel","arch":"amd64","version":"6.1"}`, `{}`},
		{`{"source":"dpkg","name":"kernel","arch":"amd64","version":"6.2"}`, `{}`},
		{`{"source":"dpkg","name":"caf` + "\uFFFD" + `","arch":"amd64","version":"1"}`, `{"size_bytes":4}`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	wantVerdicts := []inventory.Verdict{
		{
			Section: "software", Item: "dpkg caf\uFFFD amd64", Outcome: inventory.OutcomeCleaned,
			Reason: "not valid UTF-8: name",
		},
		{
			Section: "software", Outcome: inventory.OutcomeRejected,
			Reason: "*inventoryv1.Service is not an item of software",
		},
	}
	if diff := cmp.Diff(wantVerdicts, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if bad.GetName() != "caf\xe9" {
		t.Errorf("the collected item was changed to %q", bad.GetName())
	}
}

func TestNewSetCleansLists(t *testing.T) {
	t.Parallel()
	section, _ := Lookup("network_interface")
	item := &inventoryv1.NetworkInterface{Name: "eth0", Addresses: []string{"10.0.0.1/8", "\xff"}}
	set, verdicts := section.NewSet([]proto.Message{item})
	if len(verdicts) != 1 || verdicts[0].Reason != "not valid UTF-8: addresses" {
		t.Errorf("verdicts = %v", verdicts)
	}
	m, err := section.Decode(set.Items()[0].Facts)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"eth0","addresses":["10.0.0.1/8","` + "\uFFFD" + `"]}`
	if got := string(AppendJSON(nil, m)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSetRootIgnoresOrder checks that the root is the sum of the items in any order.
func TestSetRootIgnoresOrder(t *testing.T) {
	t.Parallel()
	section := softwareSection(t)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 12).Draw(t, "names")
		items := make([]proto.Message, len(names))
		for i, name := range names {
			items[i] = newSoftware(name, "1", 1)
		}
		set, _ := section.NewSet(items)
		again, _ := section.NewSet(rapid.Permutation(items).Draw(t, "order"))
		if set.Root() != again.Root() {
			t.Fatal("the root depends on the order")
		}
		root := set.Root()
		for _, item := range set.Items() {
			root = item.Hash.RemoveFrom(root)
		}
		if root != (inventory.Root{}) {
			t.Fatal("the root is not the sum of the items")
		}
	})
}

func BenchmarkNewSet(b *testing.B) {
	section := softwareSection(b)
	items := make([]proto.Message, 1000)
	for i := range items {
		items[i] = newSoftware("package-"+string(rune('a'+i%26))+string(rune('a'+i/26)), "1.2.3-4", 1000)
	}
	b.ReportAllocs()
	for b.Loop() {
		section.NewSet(items)
	}
}
