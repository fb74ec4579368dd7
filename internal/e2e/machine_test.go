package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// machine is a simulated machine that tests can change, and that records its changes. It may change
// while an agent runs.
type machine struct {
	mu       sync.Mutex
	random   *rand.Rand
	serial   string
	hostname int
	packages map[int]int // number → version; the installed ones
}

// poolSize is the number of packages that can be installed.
const poolSize = 1200

// newMachine makes a machine. Machines with one seed differ only in the serial number.
func newMachine(seed uint64, serial string) *machine {
	m := &machine{random: rand.New(rand.NewPCG(seed, 1)), serial: serial, packages: map[int]int{}}
	for number := range 300 {
		m.packages[number*3] = 10
	}
	return m
}

// change is a change as the feed should report it.
type change struct {
	Section    string `json:"section"`
	Action     string `json:"action"`
	Item       string `json:"item"`
	OldVersion string `json:"old_version"`
	NewVersion string `json:"new_version"`
}

func nameOf(number int) string       { return fmt.Sprintf("package-%04d", number) }
func versionText(version int) string { return fmt.Sprintf("1.%d-1", version) }

// change installs, upgrades, downgrades and removes a few packages, and sometimes renames the
// machine. It returns the changes, sorted. It changes each package at most once.
func (m *machine) change() []change { return m.changeMany(1) }

// changeMany is change for times as many packages.
func (m *machine) changeMany(times int) []change {
	m.mu.Lock()
	defer m.mu.Unlock()
	var done []change
	installed, absent := m.shuffled()
	take := func(from *[]int, most int) []int {
		n := min(len(*from), 1+m.random.IntN(most*times))
		taken := (*from)[:n]
		*from = (*from)[n:]
		return taken
	}
	for _, number := range take(&absent, 3) {
		m.packages[number] = 10 + m.random.IntN(5)
		done = append(done, packageChange("installed", number, 0, m.packages[number]))
	}
	for _, number := range take(&installed, 4) {
		done = append(done, packageChange("upgraded", number, m.packages[number], m.packages[number]+1))
		m.packages[number]++
	}
	for _, number := range take(&installed, 2) {
		done = append(done, packageChange("downgraded", number, m.packages[number], m.packages[number]-1))
		m.packages[number]--
	}
	for _, number := range take(&installed, 2) {
		done = append(done, packageChange("removed", number, m.packages[number], 0))
		delete(m.packages, number)
	}
	if m.random.IntN(4) == 0 {
		m.hostname++
		done = append(done, change{Section: "os", Action: "changed", Item: "os"})
	}
	sortChanges(done)
	return done
}

// rename changes the machine's name.
func (m *machine) rename() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hostname++
}

// shuffled returns the installed packages and the others.
func (m *machine) shuffled() (installed, absent []int) {
	installed = slices.Sorted(maps.Keys(m.packages))
	for number := range poolSize {
		if _, ok := m.packages[number]; !ok {
			absent = append(absent, number)
		}
	}
	for _, numbers := range [][]int{installed, absent} {
		m.random.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	}
	return installed, absent
}

func packageChange(action string, number, before, after int) change {
	c := change{Section: "software", Action: action, Item: "dpkg " + nameOf(number) + " amd64"}
	if before != 0 {
		c.OldVersion = versionText(before)
	}
	if after != 0 {
		c.NewVersion = versionText(after)
	}
	return c
}

func sortChanges(list []change) {
	slices.SortFunc(list, func(a, b change) int {
		return slices.Compare([]string{a.Section, a.Item, a.Action}, []string{b.Section, b.Item, b.Action})
	})
}

// items returns the items of each section.
func (m *machine) items() map[string][]proto.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	software := make([]proto.Message, 0, len(m.packages))
	for _, number := range slices.Sorted(maps.Keys(m.packages)) {
		software = append(software, &inventoryv1.Software{
			Source: "dpkg", Name: nameOf(number), Version: versionText(m.packages[number]), Arch: "amd64",
			Publisher: "ACME", InstallLocation: "/opt",
		})
	}
	return map[string][]proto.Message{
		"system": {&inventoryv1.System{Manufacturer: "ACME", ProductName: "Anvil", SerialNumber: m.serial, BoardSerial: "board-" + m.serial}},
		"os":     {&inventoryv1.OperatingSystem{Name: "Debian", Version: "12", Hostname: fmt.Sprintf("%s-%d", m.serial, m.hostname)}},
		"volume": {
			&inventoryv1.Volume{MountPoint: "/", FsType: "ext4", FreeBytes: proto.Uint64(1 << 30)},
			&inventoryv1.Volume{MountPoint: "/home", FsType: "ext4", FreeBytes: proto.Uint64(1 << 31)},
		},
		"software": software,
	}
}

// sections is the order of collection.
var sections = []string{"system", "os", "volume", "software"}

// collect is the Collect function of the agent's link.
func (m *machine) collect(context.Context) link.Inventory {
	items := m.items()
	inv := link.Inventory{Hardware: link.Hardware(items["system"])}
	for _, name := range sections {
		inv.Sections = append(inv.Sections, link.NewSection(name, inventory.StatusOK, "", time.Millisecond, items[name]))
	}
	inv.Sections = append(inv.Sections, link.NewSection("display", inventory.StatusUnsupported, "no displays here", 0, nil))
	return inv
}

// snapshot is the state of a machine at one time.
type snapshot struct {
	packages map[int]int
	hostname int
}

func (m *machine) snapshot() snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return snapshot{maps.Clone(m.packages), m.hostname}
}

// since returns the changes since a snapshot, sorted.
func (m *machine) since(s snapshot) []change {
	m.mu.Lock()
	defer m.mu.Unlock()
	var changes []change
	for number := range poolSize {
		before, after := s.packages[number], m.packages[number]
		switch {
		case before == after:
		case before == 0:
			changes = append(changes, packageChange("installed", number, 0, after))
		case after == 0:
			changes = append(changes, packageChange("removed", number, before, 0))
		case before < after:
			changes = append(changes, packageChange("upgraded", number, before, after))
		default:
			changes = append(changes, packageChange("downgraded", number, before, after))
		}
	}
	if m.hostname != s.hostname {
		changes = append(changes, change{Section: "os", Action: "changed", Item: "os"})
	}
	sortChanges(changes)
	return changes
}

// restore restores a snapshot.
func (m *machine) restore(s snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.packages, m.hostname = maps.Clone(s.packages), s.hostname
}
