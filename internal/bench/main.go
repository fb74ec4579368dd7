// Command bench measures what Muster costs and prints it beside what it is meant to cost: the agent on this machine, and a
// collector with its PostgreSQL under a fleet that this program plays, over real TLS, gRPC and transactions. It needs
// Linux, whose /proc says who used which CPU. It changes nothing but a temporary directory, which it removes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	agentPath, collectorPath string // programs
	machines                 int    // of the fleet
	estateMachines           int    // that are known where a large estate is looked at
	connected                int    // agents with an open stream at the end
	concurrency              int    // machines that speak at a time
	seed                     uint64
	output                   string
	parts                    []string // what is measured
}

// partCollector is the part of the bench that plays a fleet. The others are in feedSources.
const partCollector = "collector"

func allParts() []string { return append([]string{partCollector}, estateParts...) }

// wants reports whether one of some parts is to be measured.
func (o options) wants(parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(o.parts, part) })
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.agentPath, "agent", "bin/muster-agent", "the agent's `program`")
	flags.StringVar(&o.collectorPath, "collector", "bin/muster-collector", "the collector's `program`")
	flags.IntVar(&o.machines, "fleet", 1500, "how many `machines` send inventories")
	flags.IntVar(&o.estateMachines, "estate", 100_000, "how many `machines` are known where a large estate is looked at")
	flags.IntVar(&o.connected, "connected", 10_000, "how many `agents` are connected at the end, for the collector's memory; 0: skip")
	flags.IntVar(&o.concurrency, "concurrency", 32, "how many `machines` speak at a time")
	flags.Uint64Var(&o.seed, "seed", 1, "the `number` that the fleet follows from")
	flags.StringVar(&o.output, "output", "table", "table or json")
	parts := flags.String("parts", strings.Join(allParts(), ","), "which `parts` are measured")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.parts = strings.Split(*parts, ",")
	unknown := slices.ContainsFunc(o.parts, func(part string) bool { return !slices.Contains(allParts(), part) })
	if flags.NArg() > 0 || unknown || o.machines < 1 || o.estateMachines < leastEstate || o.connected < 0 || o.concurrency < 1 ||
		o.output != "table" && o.output != "json" {
		err := fmt.Errorf("there is no such thing to measure: %q", args)
		fmt.Fprintln(os.Stderr, "bench:", err)
		flags.Usage()
		return o, err
	}
	return o, nil
}

// run measures everything and prints it. What was measured is printed also where something fails later.
func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return fmt.Errorf("make temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	b := &bench{options: o, dir: dir, report: newReport(o), progress: &progress{out: os.Stderr, began: time.Now()}}
	err = b.measure(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return errors.Join(err, b.report.print(os.Stdout, o.output))
}
