package main

import "fmt"

// The phases of a fleet's run.
const (
	phaseEnroll         = "enroll"
	phaseHandshake      = "handshake"
	phaseFilling        = "first_filling"
	phaseFirst          = "first"
	phaseUnchanged      = "unchanged"
	phaseUnchangedAlone = "unchanged_alone"
	phaseReconnect      = "reconnect"
	phaseUpgrade        = "upgrade"
	phaseColdUpgrade    = "upgrade_cold"
)

// calmHandshake is the collector's CPU time of a TLS handshake, in ms, on the machine that the
// targets come from while it did nothing else. It makes CPU times of busy or slower machines
// comparable: norm = measured × calmHandshake / the handshake of the same run.
const calmHandshake = 0.57

// runResult holds the figures of one collector under one fleet.
type runResult struct {
	Similarity  string             `json:"similarity"`
	Concurrency int                `json:"concurrency"`
	Shared      float64            `json:"shared_software"`  // mean share that two machines have in common
	Unknown     float64            `json:"unknown_software"` // per machine of the second half, not on any of the first
	Phases      []phase            `json:"phases"`
	Sizes       map[string]float64 `json:"stored_bytes"` // growth of the database per machine, by phase
	Tables      []storage          `json:"tables"`       // of it, in phaseFirst
}

// phase is the cost of one phase per machine, the handshake included.
type phase struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	expense
}

func (r *runResult) name() string { return fmt.Sprintf("%s × %d", r.Similarity, r.Concurrency) }

// phase returns the cost of a phase, the mean if it ran several times.
func (r *runResult) phase(id string) (expense, bool) {
	var sum expense
	times := 0
	for _, p := range r.Phases {
		if p.ID == id {
			sum = sum.plus(p.expense)
			times++
		}
	}
	return sum.times(1 / float64(max(times, 1))), times > 0
}

// norm returns the factor of CPU times; 0 if the handshake was not measured.
func (r *runResult) norm() float64 {
	handshake, _ := r.phase(phaseHandshake)
	if handshake.cpu() == 0 {
		return 0
	}
	return calmHandshake / handshake.cpu()
}

// measure is a row of the table of runs.
type measure struct {
	name   string
	value  func(*runResult) (float64, bool) // raw; false: not measured
	isCPU  bool                             // has a norm value, which the target applies to
	target *float64                         // for high similarity and concurrency 32
}

// targetRun is the run that the targets apply to.
func (r *runResult) targetRun() bool {
	return r.Similarity == highSimilarity.name && r.Concurrency == 32
}

// amount returns the value that a target applies to.
func (m measure) amount(r *runResult) (float64, bool) {
	value, ok := m.value(r)
	if m.isCPU {
		value *= r.norm()
	}
	return value, ok
}

func collectorCPU(e expense) float64  { return e.Collector }
func postgresqlCPU(e expense) float64 { return e.Sessions + e.Maintenance }
func statements(e expense) float64    { return e.Statements }
func walKB(e expense) float64         { return e.WALBytes / 1000 }

// whole returns a cost of a phase.
func whole(id string, cost func(expense) float64) func(*runResult) (float64, bool) {
	return func(r *runResult) (float64, bool) {
		spent, ok := r.phase(id)
		return cost(spent), ok
	}
}

// beside returns a cost of a phase without the handshakes in it.
func beside(id string, cost func(expense) float64) func(*runResult) (float64, bool) {
	return func(r *runResult) (float64, bool) {
		spent, ok := r.phase(id)
		handshake, _ := r.phase(phaseHandshake)
		return cost(spent.less(handshake)), ok
	}
}

func stored(id string) func(*runResult) (float64, bool) {
	return func(r *runResult) (float64, bool) {
		bytes, ok := r.Sizes[id]
		return bytes / 1000, ok
	}
}

func sharedPercent(r *runResult) (float64, bool)   { return 100 * r.Shared, true }
func unknownPrograms(r *runResult) (float64, bool) { return r.Unknown, true }

// measures are the rows of the table of runs, per machine: CPU in ms, WAL and storage in kB.
var measures = []measure{
	{"software that two machines share, %", sharedPercent, false, nil},
	{"TLS handshake: CPU", whole(phaseHandshake, expense.cpu), true, nil},
	{"enrollment, TLS included: CPU", whole(phaseEnroll, expense.cpu), true, nil},
	{"first inventory¹: CPU beside the handshake", beside(phaseFirst, expense.cpu), true, new(5.0)},
	{"  collector", beside(phaseFirst, collectorCPU), true, nil},
	{"  PostgreSQL", beside(phaseFirst, postgresqlCPU), true, nil},
	{"  statements", beside(phaseFirst, statements), false, new(6.0)},
	{"  WAL", beside(phaseFirst, walKB), false, new(40.0)},
	{"  stored", stored(phaseFirst), false, new(18.0)},
	{"  software that no machine had before", unknownPrograms, false, nil},
	{"first inventory, first half: CPU", beside(phaseFilling, expense.cpu), true, nil},
	{"  statements", beside(phaseFilling, statements), false, nil},
	{"  WAL", beside(phaseFilling, walKB), false, nil},
	{"  stored", stored(phaseFilling), false, nil},
	{"20 upgrades: CPU", whole(phaseUpgrade, expense.cpu), true, new(0.8)},
	{"  collector", whole(phaseUpgrade, collectorCPU), true, nil},
	{"  PostgreSQL", whole(phaseUpgrade, postgresqlCPU), true, nil},
	{"  statements", whole(phaseUpgrade, statements), false, nil},
	{"  WAL", whole(phaseUpgrade, walKB), false, new(8.0)},
	{"  stored", stored(phaseUpgrade), false, nil},
	{"20 upgrades after a checkpoint: CPU", whole(phaseColdUpgrade, expense.cpu), true, nil},
	{"unchanged, open stream: CPU", whole(phaseUnchanged, expense.cpu), true, new(0.1)},
	{"  collector", whole(phaseUnchanged, collectorCPU), true, nil},
	{"  PostgreSQL", whole(phaseUnchanged, postgresqlCPU), true, nil},
	{"  statements", whole(phaseUnchangedAlone, statements), false, new(0.0)},
	{"  WAL", whole(phaseUnchangedAlone, walKB), false, new(0.0)},
	{"unchanged, new connection: CPU beside the handshake", beside(phaseReconnect, expense.cpu), true, nil},
	{"  statements", whole(phaseReconnect, statements), false, nil},
}
