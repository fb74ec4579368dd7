// Command bench measures the cost of Muster and prints it beside the targets: the agent on this
// machine, and a collector with its PostgreSQL under a simulated fleet, over real TLS, gRPC and
// transactions. It requires Linux, because it reads CPU times from /proc. It writes only to a
// temporary directory, which it removes. Start reading at bench.measure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	agentPath, collectorPath string // programs
	machines                 int    // of the fleet
	similarities             []similarity
	concurrencies            []int // machines that check in at the same time
	cmdbMachines             int   // in the filled CMDB
	connected                int   // agents with an open stream when memory is measured
	storm                    int   // machines that start at once
	seed                     uint64
	output                   string
	parts                    []string
}

// partCollector is the part that simulates a fleet, partStorm that of machines that all start at
// once. The other parts are in cmdbParts.
const (
	partCollector = "collector"
	partStorm     = "storm"
)

func allParts() []string { return append([]string{partCollector, partStorm}, cmdbParts...) }

// wants reports whether at least one of the parts is selected.
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
	flags.StringVar(&o.agentPath, "agent", "bin/muster-agent", "`path` of the agent")
	flags.StringVar(&o.collectorPath, "collector", "bin/muster-collector", "`path` of the collector")
	flags.IntVar(&o.machines, "fleet", 1500, "`number` of simulated machines that send inventories")
	flags.IntVar(&o.cmdbMachines, "cmdb", 100_000, "`number` of machines in the filled CMDB")
	flags.IntVar(&o.storm, "storm", 2000, "`number` of machines that send their first inventory at once")
	flags.IntVar(&o.connected, "connected", 10_000,
		"`number` of connected agents when the collector's memory is measured; 0 skips it")
	flags.Uint64Var(&o.seed, "seed", 1, "`seed` of the fleet")
	flags.StringVar(&o.output, "output", "table", "table or json")
	flags.Func("similarity", "comma-separated `levels` of similarity: high, medium, low (default high,low)",
		func(list string) (err error) { o.similarities, err = parseList(list, similarityOf); return err })
	flags.Func("concurrency", "comma-separated `numbers` of machines that check in at the same time (default 32,128)",
		func(list string) (err error) { o.concurrencies, err = parseList(list, positive); return err })
	flags.Func("parts", "comma-separated `parts` to measure: "+strings.Join(allParts(), ",")+" (default all)",
		func(list string) (err error) { o.parts, err = parseList(list, partOf); return err })
	o.similarities, o.concurrencies, o.parts = []similarity{highSimilarity, lowSimilarity}, []int{32, 128}, allParts()
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if err := o.check(flags.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		flags.Usage()
		return o, err
	}
	return o, nil
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected arguments: %q", rest)
	case o.machines < 1:
		return errors.New("--fleet must be at least 1")
	case o.cmdbMachines < leastCMDB:
		return fmt.Errorf("--cmdb must be at least %d", leastCMDB)
	case o.storm < 1:
		return errors.New("--storm must be at least 1")
	case o.connected < 0:
		return errors.New("--connected must not be negative")
	case o.output != "table" && o.output != "json":
		return fmt.Errorf("--output must be table or json, not %q", o.output)
	}
	return nil
}

// parseList parses the elements of a comma-separated list.
func parseList[T any](list string, parse func(string) (T, error)) (parsed []T, err error) {
	for text := range strings.SplitSeq(list, ",") {
		element, err := parse(text)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, element)
	}
	return parsed, nil
}

func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a positive number", text)
	}
	return n, nil
}

func partOf(name string) (string, error) {
	if !slices.Contains(allParts(), name) {
		return "", fmt.Errorf("%q is not one of %s", name, strings.Join(allParts(), ", "))
	}
	return name, nil
}

// run measures the selected parts and prints the report. After an error it prints what was measured
// before.
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
