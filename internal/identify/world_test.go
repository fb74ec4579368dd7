package identify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/identify"
	"github.com/musterhq/muster/internal/inventory"
)

// world is a hidden truth that agents report on: which machine each of them is on is known, and identity has to find
// it.
type world struct {
	random      *rand.Rand
	day         float64
	machines    []*machine
	constraints []declaredConstraint
	truth       map[string]*machine
	lattice     *lattice
	serial      int // of what is made
	last        verdict
	history     []string
}

type machine struct {
	name  string
	vm    bool
	blank bool // it has no identifier of its own but its addresses
	off   bool
	ids   inventory.RawIdentifiers // of the hardware
	disk  *disk
	dock  string // the address of the dock that it stands in
}

// disk carries installations from machine to machine. A virtual one has no serial number.
type disk struct {
	id            inventory.DiskID
	installations []*installation
	booted        int
}

type installation struct {
	id, host string
	agents   []string // the records of those that are alive
}

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 1)), truth: map[string]*machine{}, lattice: newLattice(identify.Default()),
	}
	for range 4 {
		w.buy()
	}
	w.buyVM()
	w.report()
	w.report()
	return w
}

func (w *world) next() int { w.serial++; return w.serial }

func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

func pick[T any](w *world, from []T) T { return from[w.random.IntN(len(from))] }

// digits are those of an identifier that nobody else has.
func (w *world) digits(n int) string {
	const alphabet = "0123456789abcdef"
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[w.random.IntN(len(alphabet))])
	}
	return b.String()
}

func (w *world) uuid() string {
	d := w.digits(32)
	return d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]
}

func (w *world) mac() string {
	return "a4:bb:6d:" + w.digits(2) + ":" + w.digits(2) + ":" + w.digits(2)
}

func (w *world) card() inventory.InterfaceID {
	return inventory.InterfaceID{MAC: w.mac(), Type: "ethernet"}
}

func (w *world) buy() *machine {
	m := &machine{name: fmt.Sprintf("machine-%d", w.next())}
	m.ids = inventory.RawIdentifiers{
		Manufacturer: "Dell Inc.", SerialNumber: strings.ToUpper("SN" + w.digits(8)), UUID: w.uuid(),
		BoardManufacturer: "Dell Inc.", BoardSerial: "CN7220" + w.digits(8), Interfaces: []inventory.InterfaceID{w.card()},
	}
	switch n := w.random.IntN(100); {
	case n < 15: // the assembler filled in nothing
		m.ids.SerialNumber = "To Be Filled By O.E.M."
	case n < 30: // the maker fills in the same everywhere
		m.ids.Manufacturer, m.ids.SerialNumber = "Noname", "ODMSAME9"
	case n < 38:
		m.blank = true
		m.ids = inventory.RawIdentifiers{
			Manufacturer: "System manufacturer", SerialNumber: "System Serial Number", UUID: "03000200-0400-0500-0006-000700080009",
			BoardSerial: "Default string", Interfaces: []inventory.InterfaceID{w.card()},
		}
	case n < 60:
		m.ids.TPM = w.digits(64)
	}
	m.disk = &disk{id: inventory.DiskID{Model: "Samsung SSD 970 EVO", SerialNumber: "S4EW" + w.digits(10), Bus: "nvme"}}
	if strings.HasPrefix(m.ids.SerialNumber, "SN") && w.chance(50) {
		w.order(m)
	}
	w.install(m)
	w.machines = append(w.machines, m)
	return m
}

// order lets a purchase tell of a machine.
func (w *world) order(m *machine) {
	record := fmt.Sprintf("order-%d", w.next())
	w.truth[record] = m
	w.emit(report{Record: record, Source: "purchase", IDs: inventory.RawIdentifiers{Manufacturer: "DELL", SerialNumber: m.ids.SerialNumber}})
}

func (w *world) buyVM() *machine {
	m := &machine{name: fmt.Sprintf("vm-%d", w.next()), vm: true, disk: &disk{}}
	m.ids = inventory.RawIdentifiers{Manufacturer: "VMware, Inc.", Virtual: true}
	w.renumber(m)
	w.install(m)
	w.machines = append(w.machines, m)
	return m
}

// renumber returns a virtual machine new identifiers.
func (w *world) renumber(m *machine) {
	m.ids.UUID = w.uuid()
	plain := strings.ReplaceAll(m.ids.UUID, "-", "")
	var pairs []string
	for i := 0; i < len(plain); i += 2 {
		pairs = append(pairs, plain[i:i+2])
	}
	m.ids.SerialNumber = "VMware-" + strings.Join(pairs[:8], " ") + "-" + strings.Join(pairs[8:], " ")
	m.ids.Interfaces = []inventory.InterfaceID{{MAC: "00:50:56:8a:" + w.digits(2) + ":" + w.digits(2), Type: "ethernet"}}
}

// install puts a system with an agent on a machine's disk, in place of what was there.
func (w *world) install(m *machine) {
	m.disk.installations = []*installation{{id: w.digits(32), host: pick(w, []string{"pc", "srv1", "front-desk"}), agents: []string{w.agent()}}}
	m.disk.booted = 0
}

func (w *world) agent() string { return fmt.Sprintf("agent-%d", w.next()) }

// report lets every machine that is on report once.
func (w *world) report() {
	for _, m := range w.machines {
		if m.off || m.disk == nil || len(m.disk.installations) == 0 {
			continue
		}
		in := m.disk.installations[m.disk.booted]
		for _, record := range in.agents {
			w.truth[record] = m
			w.emit(report{Record: record, IDs: m.identifiers(in)})
		}
	}
}

func (w *world) emit(r report) {
	w.day += 0.01
	r.At = w.day
	w.lattice.add(r)
}

func (m *machine) identifiers(in *installation) inventory.RawIdentifiers {
	ids := m.ids
	ids.OSInstallID, ids.Hostname = in.id, in.host
	ids.Interfaces = slices.Clone(ids.Interfaces)
	if m.dock != "" {
		ids.Interfaces = append(ids.Interfaces, inventory.InterfaceID{MAC: m.dock, Type: "ethernet"})
	}
	if m.disk.id.SerialNumber != "" {
		ids.Disks = []inventory.DiskID{m.disk.id}
	}
	return ids
}

// machine returns one that is on, physical or virtual as asked; nil: there is none.
func (w *world) machine(vm bool) *machine {
	var on []*machine
	for _, m := range w.machines {
		if m.vm == vm && !m.off && m.disk != nil {
			on = append(on, m)
		}
	}
	if len(on) == 0 {
		return nil
	}
	return pick(w, on)
}

func (m *machine) installed() *installation { return m.disk.installations[m.disk.booted] }

// action changes the world. It reports false where there is nothing to do it to.
type action struct {
	name string
	do   func(w *world) bool
}

var actions = []action{
	{"buy", func(w *world) bool { w.buy(); return true }},
	{"clone with everything", func(w *world) bool { return w.clone(false, true) }},
	{"clone, new hardware ids", func(w *world) bool { return w.clone(true, false) }},
	{"clone, all ids new", func(w *world) bool { return w.cloneGeneralized() }},
	{"re-image", func(w *world) bool { return w.on(w.install) }},
	{"swap board", func(w *world) bool { return w.on(func(m *machine) { w.swapBoard(m, false) }) }},
	{"swap board, serial lost", func(w *world) bool { return w.on(func(m *machine) { w.swapBoard(m, true) }) }},
	{"swap disks", func(w *world) bool { return w.swapDisks() }},
	{"new disk", func(w *world) bool { return w.on(w.newDisk) }},
	{"dock", func(w *world) bool {
		return w.on(func(m *machine) { m.dock = "a0:ce:c8:00:11:2" + pick(w, []string{"1", "2"}) })
	}},
	{"undock", func(w *world) bool { return w.on(func(m *machine) { m.dock = "" }) }},
	{"rename", func(w *world) bool {
		return w.on(func(m *machine) { m.installed().host = pick(w, []string{"pc", "srv1"}) })
	}},
	{"roll back", func(w *world) bool { w.day += 3; return true }},
	{"sell and buy back", func(w *world) bool { return w.on(w.sell) }},
	{"two agents", func(w *world) bool {
		return w.on(func(m *machine) { m.installed().agents = append(m.installed().agents, w.agent()) })
	}},
	{"lose state", func(w *world) bool { return w.on(func(m *machine) { m.installed().agents = []string{w.agent()} }) }},
	{"dual boot", func(w *world) bool { return w.on(w.dualBoot) }},
}

// on does something to a machine.
func (w *world) on(do func(*machine)) bool {
	m := w.machine(w.chance(25))
	if m == nil {
		return false
	}
	do(m)
	return true
}

// clone copies a virtual machine. With its agent's state it is a fork, which the ratchet finds; without, the copy's
// agent enrolls anew.
func (w *world) clone(renumbered, fork bool) bool {
	original := w.machine(true)
	if original == nil {
		return false
	}
	of := original.installed()
	made := &machine{name: fmt.Sprintf("vm-%d", w.next()), vm: true, ids: original.ids, disk: &disk{}}
	if renumbered {
		w.renumber(made)
	}
	record := w.agent()
	made.disk.installations = []*installation{{id: of.id, host: of.host, agents: []string{record}}}
	if fork {
		w.constraints = append(w.constraints, declaredConstraint{A: of.agents[0], B: record, Origin: "fork"})
	}
	w.machines = append(w.machines, made)
	return true
}

func (w *world) cloneGeneralized() bool {
	ok := w.clone(true, false)
	if ok {
		w.machines[len(w.machines)-1].installed().id = w.digits(32)
	}
	return ok
}

func (w *world) swapBoard(m *machine, lost bool) {
	if m.vm || m.blank {
		return
	}
	m.ids.UUID, m.ids.BoardSerial, m.ids.Interfaces = w.uuid(), "CN7220"+w.digits(8), []inventory.InterfaceID{w.card()}
	if m.ids.TPM != "" {
		m.ids.TPM = w.digits(64)
	}
	if lost {
		m.ids.SerialNumber = ""
	}
}

func (w *world) swapDisks() bool {
	a, b := w.machine(false), w.machine(false)
	if a == nil || b == nil || a == b {
		return false
	}
	a.disk, b.disk = b.disk, a.disk
	return true
}

func (w *world) newDisk(m *machine) {
	if m.vm {
		return
	}
	m.disk = &disk{id: inventory.DiskID{Model: "WD Blue SN570", SerialNumber: "WD" + w.digits(10), Bus: "nvme"}}
	w.install(m)
}

// sell takes a machine away for a while: it comes back with another disk.
func (w *world) sell(m *machine) {
	m.off = true
	w.day += 30
	w.report()
	m.off = false
	w.newDisk(m)
	if m.vm {
		w.install(m)
	}
}

func (w *world) dualBoot(m *machine) {
	if len(m.disk.installations) == 1 {
		m.disk.installations = append(m.disk.installations, &installation{id: w.digits(32), host: "win", agents: []string{w.agent()}})
	}
	m.disk.booted = 1 - m.disk.booted
}

// verdict is how a partition compares with the truth, in pairs of records.
type verdict struct {
	pairs   int             // of records on one machine, which has an identifier of its own
	merged  map[string]bool // of two machines
	split   map[string]bool // of those of one machine
	copied  map[string]bool // that are split of machines of which each identifier is a copy's too
	unasked map[string]bool // of those that are split and copied, with no review between their CIs
	blank   map[string]bool // that are split of machines without an identifier but their addresses
}

func (w *world) evaluate(t *testing.T) verdict {
	t.Helper()
	p := identify.Default().Partition(w.lattice.candidateSet(w.known()))
	cis := w.lattice.cis(p)
	asked := map[[2]string]bool{}
	for _, r := range p.Reviews {
		a, b := cis[w.lattice.names[r.A]], cis[w.lattice.names[r.B]]
		asked[[2]string{min(a, b), max(a, b)}] = true
	}
	v := verdict{
		merged: map[string]bool{}, split: map[string]bool{}, copied: map[string]bool{}, unasked: map[string]bool{}, blank: map[string]bool{},
	}
	names := slices.Sorted(maps.Keys(cis))
	for i, a := range names {
		for _, b := range names[:i] {
			one, together := w.truth[a] == w.truth[b], cis[a] == cis[b]
			pair, copied := a+" "+b, w.copied(w.truth[a])
			if one && !copied && !w.truth[a].blank {
				v.pairs++
			}
			switch {
			case together && !one && (w.truth[a].blank || w.truth[b].blank): // nothing but an address tells them apart
			case together && !one:
				v.merged[pair] = true
			case one && !together && w.truth[a].blank:
				v.blank[pair] = true
			case one && !together:
				v.copied[pair], v.split[pair] = copied, !copied
				v.unasked[pair] = !asked[[2]string{min(cis[a], cis[b]), max(cis[a], cis[b])}]
			}
		}
	}
	for _, pairs := range []map[string]bool{v.split, v.copied, v.unasked} {
		maps.DeleteFunc(pairs, func(_ string, is bool) bool { return !is })
	}
	return v
}

// copied reports whether another machine has all that a machine has: nothing tells which of the two a new agent is on.
func (w *world) copied(m *machine) bool {
	return slices.ContainsFunc(w.machines, func(other *machine) bool { return other != m && other.vm && other.ids.UUID == m.ids.UUID })
}

// added returns the pairs that are not among those before, sorted.
func added(now, before map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(now)), func(pair string) bool { return before[pair] })
}

// known returns the constraints between records that have reported.
func (w *world) known() []declaredConstraint {
	return slices.DeleteFunc(slices.Clone(w.constraints), func(c declaredConstraint) bool {
		return w.lattice.ids[c.A] == 0 || w.lattice.ids[c.B] == 0
	})
}

// number returns that of an environment variable, or else the fallback.
func number(t *testing.T, variable string, fallback int) int {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		t.Fatalf("%s is %q: want a number", variable, value)
	}
	return n
}

// TestWorld lets much happen, and compares what is found with what is true after each step. MUSTER_TEST_WORLDS says how
// many worlds there are, and MUSTER_TEST_SEED which is the first.
func TestWorld(t *testing.T) {
	t.Parallel()
	worlds, steps := 60, 20
	if testing.Short() {
		worlds = 10
	}
	first := number(t, "MUSTER_TEST_SEED", 0)
	table := map[string]*tally{}
	for seed := first; seed < first+number(t, "MUSTER_TEST_WORLDS", worlds); seed++ {
		w := newWorld(uint64(seed))
		for range steps {
			a := pick(w, actions)
			if !a.do(w) {
				continue
			}
			w.report()
			w.report()
			w.history = append(w.history, a.name)
			if table[a.name] == nil {
				table[a.name] = &tally{}
			}
			got := w.evaluate(t)
			table[a.name].add(got, w.last)
			w.describe(t, seed, "merged", added(got.merged, w.last.merged))
			w.describe(t, seed, "split without a question", added(got.unasked, w.last.unasked))
			w.last = got
		}
	}
	sum := log(t, table)
	if sum.merged > 0 {
		t.Errorf("%d pairs of records were made one CI that are of two machines", sum.merged)
	}
	if sum.separate*100 > sum.pairs {
		t.Errorf("%d of %d pairs of records of one machine were apart: that is more than one in a hundred", sum.separate, sum.pairs)
	}
	if sum.unasked > 0 {
		t.Errorf("%d pairs of records of one machine were split without asking anybody", sum.unasked)
	}
}

// tally sums up what an action led to: pairs, and those of them that were apart, after each time it was done; of what was
// wrong the rest is what was not wrong before.
type tally struct{ times, pairs, separate, merged, split, copied, unasked, blank int }

func (t *tally) add(now, before verdict) {
	t.times++
	t.pairs += now.pairs
	t.separate += len(now.split)
	t.merged += len(added(now.merged, before.merged))
	t.split += len(added(now.split, before.split))
	t.copied += len(added(now.copied, before.copied))
	t.unasked += len(added(now.unasked, before.unasked))
	t.blank += len(added(now.blank, before.blank))
}

func log(t *testing.T, table map[string]*tally) tally {
	t.Helper()
	var sum tally
	var b strings.Builder
	line := func(name string, t tally) {
		fmt.Fprintf(&b, "%-26s %6d %8d %6d %7d %6d %7d %8d %6d\n",
			name, t.times, t.pairs, t.separate, t.merged, t.split, t.copied, t.unasked, t.blank)
	}
	fmt.Fprintf(&b, "\n%-26s %6s %8s %6s %7s %6s %7s %8s %6s\n", "action", "times", "pairs", "apart", "merged", "split", "copied", "unasked", "blank")
	for _, name := range slices.Sorted(maps.Keys(table)) {
		row := *table[name]
		line(name, row)
		sum = tally{
			sum.times + row.times, sum.pairs + row.pairs, sum.separate + row.separate, sum.merged + row.merged,
			sum.split + row.split, sum.copied + row.copied, sum.unasked + row.unasked, sum.blank + row.blank,
		}
	}
	line("sum", sum)
	t.Log(b.String())
	return sum
}

// describe logs what is known of the records of pairs that came out wrong and did not before.
func (w *world) describe(t *testing.T, seed int, how string, pairs []string) {
	t.Helper()
	if len(pairs) == 0 {
		return
	}
	t.Logf("world %d after %v: %s: %v", seed, w.history, how, pairs)
	p := identify.Default().Partition(w.lattice.candidateSet(w.known()))
	for _, assignment := range p.Assignments {
		name := w.lattice.names[assignment.Record]
		if !slices.Contains(strings.Fields(strings.Join(pairs, " ")), name) {
			continue
		}
		record := w.lattice.records[assignment.Record-1]
		t.Logf("%s is %s, placed in %s: %s", name, w.truth[name].name, assignment.CI[:8], identify.Explain(assignment.Reason))
		for _, c := range record.Identifiers {
			t.Logf("    %v … %v of %v  %s", c.First.Format("01-02 15:04"), c.Last.Format("01-02 15:04"), record.SeenAt.Format("01-02 15:04"), c.Identifier)
		}
	}
}
