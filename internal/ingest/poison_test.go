package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/ingest"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// raw sends items as a hostile agent would: bytes that no encoder of ours makes. The agent's own
// check of what it sends is left out, the root is right.
func (m *machine) raw(t testing.TB, section string, items ...*inventoryv1.Item) (ingest.Result, error) {
	t.Helper()
	obs := m.prepare(t, report{})
	u := &ingest.Update{Section: lookup(t, section)}
	seen := map[wire.Hash]bool{}
	for _, item := range items {
		if hash := wire.HashOf(item.GetFacts()); !seen[hash] {
			seen[hash] = true
			u.Root = hash.AddTo(u.Root)
		}
	}
	for chunk := range slices.Chunk(items, 4000) {
		if err := m.decoder.Add(u, pack(t, &inventoryv1.Items{Added: chunk})); err != nil {
			return ingest.Result{}, err
		}
	}
	obs.Summaries = []wire.Summary{{Section: section, Status: inventory.StatusOK, Root: u.Root}}
	obs.Updates = []*ingest.Update{u}
	return m.ingester.Apply(t.Context(), obs)
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// field encodes one string field with whatever bytes.
func field(number protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

func TestPoison(t *testing.T) {
	t.Parallel()
	good := encode(t, pkg("good", "1"))
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name    string
		facts   []byte
		outcome string // of the poisonous item; "": it is taken as it is
		reason  string // a part of it
		held    string // its facts afterwards; "": it is not held
	}{
		{"NUL", encode(t, pkg("a\x00b", "1")), inventory.OutcomeCleaned, "control characters",
			`{"source":"dpkg","name":"a␀b","arch":"amd64","version":"1"}`},
		{"terminal escape", encode(t, pkg("a\x1b[31m", "1")), inventory.OutcomeCleaned, "control characters",
			`{"source":"dpkg","name":"a␛[31m","arch":"amd64","version":"1"}`},
		{"invalid UTF-8", slices.Concat(field(2, "a\xffb"), field(1, "dpkg")), inventory.OutcomeRejected, "UTF-8", ""},
		{"lone surrogate", slices.Concat(field(2, "\xed\xa0\x80"), field(1, "dpkg")), inventory.OutcomeRejected, "UTF-8", ""},
		{"bidi override", encode(t, pkg("a\u202eb", "1")), "", "",
			"{\"source\":\"dpkg\",\"name\":\"a\u202eb\",\"arch\":\"amd64\",\"version\":\"1\"}"},
		{"string of 5 kB", encode(t, pkg("big", long[:5000])), inventory.OutcomeTruncated, "version has 5000 bytes",
			`{"source":"dpkg","name":"big","arch":"amd64","version":"` + long[:4096] + `"}`},
		{"string of 1 MB", encode(t, pkg("big", long))[:len(long)/2], inventory.OutcomeRejected, "bytes, more than", ""},
		{"no protobuf", []byte("\xff\xff\xff"), inventory.OutcomeRejected, "not readable", ""},
		{"empty", nil, inventory.OutcomeRejected, "nothing names it", ""},
		{"no key", encode(t, &inventoryv1.Software{Version: "1"}), inventory.OutcomeRejected, "nothing names it", ""},
		{"unknown fields", slices.Concat(encode(t, pkg("new", "1")), field(900, "x")), "", "",
			`{"source":"dpkg","name":"new","arch":"amd64","version":"1"}`},
		{"the same twice", good, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newFixture(t).enroll(t)
			result, err := m.raw(t, "software", &inventoryv1.Item{Facts: good}, &inventoryv1.Item{Facts: c.facts})
			if err != nil {
				t.Fatalf("one bad item spoiled the rest: %v", err)
			}
			want := facts(t, "software", []proto.Message{pkg("good", "1")})
			if c.held != "" {
				want = append(want, c.held)
				slices.Sort(want)
			}
			if diff := cmp.Diff(want, m.held(t, "software", time.Time{})); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			checkVerdict(t, result.Verdicts, c.outcome, c.reason)
			// The next check-in finds nothing to ask for: the stream does not loop.
			state := m.states(t)["software"]
			var sent inventory.Root
			for _, b := range slices.Compact([]string{string(good), string(c.facts)}) {
				sent = wire.HashOf([]byte(b)).AddTo(sent)
			}
			if state.Root != sent {
				t.Error("the root held is not that of what was sent: the section would be asked for again and again")
			}
			checkVerdict(t, state.Verdicts, c.outcome, c.reason)
		})
	}
}

func checkVerdict(t testing.TB, verdicts []inventory.Verdict, outcome, reason string) {
	t.Helper()
	if outcome == "" {
		if len(verdicts) != 0 {
			t.Errorf("verdicts %v, want none", verdicts)
		}
		return
	}
	if len(verdicts) != 1 || verdicts[0].Outcome != outcome || !strings.Contains(verdicts[0].Reason, reason) {
		t.Errorf("verdicts %v, want one %s because of %q", verdicts, outcome, reason)
	}
}

func (m *machine) states(t testing.TB) map[string]inventory.SectionState {
	t.Helper()
	states, err := m.SectionStates(t.Context(), m.mustRecord(t).ID)
	if err != nil {
		t.Fatal(err)
	}
	return states
}

func TestAbsurdReadingsAreDropped(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	var items []*inventoryv1.Item
	for i, at := range []*timestamppb.Timestamp{
		{Seconds: 1 << 60}, {Seconds: -1 << 60}, {Nanos: -5}, {Seconds: 253402300799}, {Seconds: 1700000000},
	} {
		items = append(items, &inventoryv1.Item{
			Facts:    encode(t, pkg(fmt.Sprintf("p%d", i), "1")),
			Readings: encode(t, &inventoryv1.Software{InstallDate: at}),
		})
	}
	result, err := m.raw(t, "software", items...)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Verdicts) != 4 {
		t.Errorf("verdicts %v, want four, one for each absurd date", result.Verdicts)
	}
	if got := len(m.held(t, "software", time.Time{})); got != 5 {
		t.Errorf("%d items held, want all 5: only their dates were absurd", got)
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	var items []*inventoryv1.Item
	for i := range 500 {
		items = append(items, &inventoryv1.Item{Facts: fmt.Appendf(nil, "\xff%d", i)})
	}
	result, err := m.raw(t, "software", items...)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Verdicts) != 100 || !strings.Contains(result.Verdicts[99].Reason, "401 more") {
		t.Errorf("got %d verdicts, the last %+v; want 100, the last telling of 401 more", len(result.Verdicts), result.Verdicts[len(result.Verdicts)-1])
	}
}

// TestHugeSection takes a hundred thousand programs and then one more.
func TestHugeSection(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	var items []proto.Message
	for i := range 100_000 {
		items = append(items, pkg(fmt.Sprintf("package-%d", i), "1"))
	}
	for _, n := range []int{100_000 - 1, 100_000} {
		mustObserve(t, m, software(inventory.StatusOK, items[:n]...))
		if got := len(m.held(t, "software", time.Time{})); got != n {
			t.Errorf("%d items held, want %d", got, n)
		}
	}
	if changes := m.changes(t, "software"); len(changes) != 1 {
		t.Errorf("%d changes, want the one program that was added", len(changes))
	}
}

func TestMoreThanAnyMachineHas(t *testing.T) {
	t.Parallel()
	m := newFixture(t).enroll(t)
	items := make([]*inventoryv1.Item, 200_001)
	for i := range items {
		items[i] = &inventoryv1.Item{Facts: encode(t, pkg(fmt.Sprint(i), "1"))}
	}
	if _, err := m.raw(t, "software", items...); err == nil {
		t.Error("200,001 programs were taken")
	}
	bomb := pack(t, &inventoryv1.Items{Removed: [][]byte{make([]byte, 8<<20)}})
	if err := m.decoder.Add(&ingest.Update{Section: lookup(t, "software")}, bomb); err == nil {
		t.Errorf("a payload of %d bytes that unpacks to 8 MiB was taken", len(bomb))
	}
}
