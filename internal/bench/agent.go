package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/musterhq/muster/agent/state"
)

// Repetitions. Of CPU times the median counts, of memory and children the largest.
const (
	localRuns   = 15
	syncRuns    = 5
	watchedRuns = 3
)

// measureAgent has the agent take inventories of this machine and returns one of them.
func (b *bench) measureAgent(ctx context.Context) (golden, error) {
	b.progress.stepf(localRuns+watchedRuns, "inventories of this machine")
	document, err := b.measureLocal(ctx)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(b.agentPath)
	if err != nil {
		return nil, err
	}
	b.report.add("agent_binary", float64(info.Size())/1e6, "")
	return readGolden(document)
}

func (b *bench) measureLocal(ctx context.Context) (document []byte, err error) {
	var times []time.Duration
	for range localRuns {
		run, err := spend(ctx, b.agentPath, "inventory", "--output", "json")
		if err != nil {
			return nil, err
		}
		times, document = append(times, run.cpu), run.output
		b.progress.advance()
	}
	packages := bytes.Count(document, []byte(`"source":"dpkg"`)) + bytes.Count(document, []byte(`"source":"rpm"`))
	b.report.add("agent_cpu", median(times).Seconds(),
		fmt.Sprintf("%d packages; median of %d runs", packages, localRuns))
	if err := b.watchAgent(ctx, "agent_peak", "agent_children", func(int) ([]string, error) {
		return []string{"inventory", "--output", "json"}, nil
	}); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	packer := gzip.NewWriter(&packed)
	_, err = packer.Write(document)
	if err = errors.Join(err, packer.Close()); err != nil {
		return nil, err
	}
	b.report.add("agent_raw", float64(len(document))/1000, "")
	b.report.add("agent_gzip", float64(packed.Len())/1000, "")
	return document, nil
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// watchAgent measures memory and children of the agent. arguments returns the command line of a
// run.
func (b *bench) watchAgent(
	ctx context.Context, peakID, childrenID string, arguments func(run int) ([]string, error),
) error {
	var peak int64
	var children int
	for run := range watchedRuns {
		args, err := arguments(run)
		if err != nil {
			return err
		}
		seen, err := watch(ctx, b.agentPath, args...)
		if err != nil {
			return err
		}
		peak, children = max(peak, seen.peak), max(children, seen.children)
		b.progress.advance()
	}
	b.report.add(peakID, float64(peak)/(1<<20), fmt.Sprintf("most of %d runs", watchedRuns))
	b.report.add(childrenID, float64(children), "")
	return nil
}

// measureAgentOnWire counts the bytes between the agent and the collector with a proxy.
func (r *fleetRun) measureAgentOnWire(ctx context.Context) error {
	r.progress.stepf(syncRuns+watchedRuns, "first syncs of this machine")
	p, err := newProxy(ctx, r.collector.grpcAddr)
	if err != nil {
		return err
	}
	defer p.close()
	if err := r.measureSync(ctx, p); err != nil {
		return err
	}
	r.progress.stepf(0, "this machine's agent between check-ins")
	dir, err := r.enrollAgent(ctx, p, "run")
	if err != nil {
		return err
	}
	return r.measureRun(ctx, p, dir)
}

// enrollAgent enrolls this machine once more and returns the state directory.
func (r *fleetRun) enrollAgent(ctx context.Context, p *proxy, name string) (string, error) {
	dir := filepath.Join(r.dir, "agent", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	_, err := spend(ctx, r.agentPath, "enroll", "--state", dir, "--collector", p.address(),
		"--token", r.collector.token, "--ca-pin", r.collector.pin)
	return dir, err
}

func (r *fleetRun) measureSync(ctx context.Context, p *proxy) error {
	var times []time.Duration
	var sent, received []int64
	for run := range syncRuns {
		dir, err := r.enrollAgent(ctx, p, "sync"+strconv.Itoa(run))
		if err != nil {
			return err
		}
		up, down := p.up.Load(), p.down.Load()
		spent, err := spend(ctx, r.agentPath, "sync", "--state", dir)
		if err != nil {
			return err
		}
		times = append(times, spent.cpu)
		sent, received = append(sent, p.up.Load()-up), append(received, p.down.Load()-down)
		r.progress.advance()
	}
	r.report.add("agent_sync_cpu", median(times).Seconds(), fmt.Sprintf("median of %d runs", syncRuns))
	r.report.add("agent_wire", float64(median(sent))/1000, "TLS and HTTP/2 included")
	r.report.add("agent_wire_received", float64(median(received))/1000, "")
	return r.watchAgent(ctx, "agent_sync_peak", "agent_sync_children", func(run int) ([]string, error) {
		dir, err := r.enrollAgent(ctx, p, "watched"+strconv.Itoa(run))
		return []string{"sync", "--state", dir}, err
	})
}

// measureRun lets the agent check in several times on its own. The first check-in sends the whole
// inventory and does not count. The least of the others counts, because the machine may change
// between two of them.
func (r *fleetRun) measureRun(ctx context.Context, p *proxy, dir string) error {
	const pairs = 2
	pid, stop, err := r.startAgent(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	var acknowledged time.Time
	least, leastCPU := int64(math.MaxInt64), time.Duration(math.MaxInt64)
	for pair := range 1 + pairs {
		before := p.both()
		cpuBefore, err := cpuOf(pid)
		if err != nil {
			return err
		}
		if acknowledged, err = r.nextAck(ctx, dir, acknowledged); err != nil {
			return err
		}
		if err := quiet(ctx, func() (time.Duration, error) { return cpuOf(pid) }); err != nil {
			return err
		}
		if pair > 0 {
			cpu, err := cpuOf(pid)
			if err != nil {
				return err
			}
			least, leastCPU = min(least, p.both()-before), min(leastCPU, cpu-cpuBefore)
		}
	}
	r.report.add("agent_unchanged", float64(least), "TLS and HTTP/2 included")
	r.report.add("agent_unchanged_cpu", leastCPU.Seconds(), "the inventory included")
	idle, err := memoryOf(pid, "VmRSS")
	anonymous, errAnonymous := memoryOf(pid, "RssAnon")
	r.report.add("agent_idle", float64(idle)/1e6,
		fmt.Sprintf("after %d check-ins; %.1f of it anonymous", 1+pairs, float64(anonymous)/1e6))
	return errors.Join(err, errAnonymous)
}

func (r *fleetRun) agentLog() string { return filepath.Join(r.dir, "agent.log") }

// startAgent starts an agent that keeps running until stop.
func (r *fleetRun) startAgent(ctx context.Context, dir string) (pid int, stop func(), err error) {
	log, err := os.Create(r.agentLog())
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	running, cancel := context.WithCancel(ctx)
	cmd := command(running, r.agentPath, "run", "--state", dir)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		cancel()
		return 0, nil, failure(r.agentPath, cmd.Args[1:], err, nil)
	}
	return cmd.Process.Pid, func() {
		cancel()
		_ = cmd.Wait() // it was interrupted
	}, nil
}

// nextAck waits until the status of the agent contains a newer acknowledgment.
func (r *fleetRun) nextAck(ctx context.Context, dir string, last time.Time) (at time.Time, err error) {
	limited, cancel := context.WithTimeout(ctx, 4*checkInInterval)
	defer cancel()
	err = r.collector.until(limited, func() (bool, error) {
		status, err := state.ReadStatus(dir)
		at = status.LastAck
		return at.After(last), err
	})
	if err != nil {
		reported, _ := os.ReadFile(r.agentLog())
		return at, fmt.Errorf("wait for a check-in: %w; log of the agent: %s", err, reported)
	}
	return at, nil
}
