package main

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/state"
)

// newAgent connects the collectors, the state and the link. It receives one list of collectors for
// the life of the process because some collectors keep state between runs.
func newAgent(
	s *state.State, sections []section.Collector, logger *slog.Logger,
) (*link.Agent, *section.Runner) {
	machine, runner := host.Local(), newRunner(s, logger)
	mark := func(name string) {
		if err := s.SetCollecting(name); err != nil {
			logger.Warn("note of the section that is collected not written", "error", err)
		}
	}
	return &link.Agent{
		State:   s,
		Collect: func(ctx context.Context) link.Inventory { return collect(ctx, machine, sections, runner, mark) },
		Idle:    host.ReleaseMemory,
		Ended:   func() bool { return len(runner.Stuck()) > 0 },
		Version: version(),
		BootID:  bootID(machine),
		Logger:  logger,
	}, runner
}

// newRunner returns a runner that remembers failures in the state.
func newRunner(s *state.State, logger *slog.Logger) *section.Runner {
	health := map[string]section.Health{}
	for name, h := range s.Health() {
		health[name] = section.Health(h)
	}
	runner := section.NewRunner(health)
	runner.Save = func(health map[string]section.Health) {
		saved := make(map[string]state.Health, len(health))
		for name, h := range health {
			saved[name] = state.Health(h)
		}
		if err := s.SetHealth(saved); err != nil {
			logger.Warn("failures of sections not remembered", "error", err)
		}
	}
	if name := s.Collecting(); name != "" {
		logger.Warn("the agent ended while it collected a section", "section", name)
		runner.Fail(name, "the agent ended while it collected the section")
	}
	return runner
}

// collect runs the collectors one after the other, so that at most one section is in memory twice:
// as found and as encoded. It calls mark with the name of each section before it is collected, and
// with "" at the end.
func collect(
	ctx context.Context, machine *host.Host, sections []section.Collector, runner *section.Runner, mark func(string),
) link.Inventory {
	var inv link.Inventory
	var hardware []proto.Message
	for _, c := range sections {
		mark(c.Name)
		report := runner.Run(ctx, machine, c)
		inv.Sections = append(inv.Sections,
			link.NewSection(report.Section, report.Status, report.Message, report.Duration, report.Items))
		if link.NamesHardware(report.Section) {
			hardware = append(hardware, report.Items...)
		}
	}
	mark("")
	inv.Hardware = link.Hardware(hardware)
	return inv
}

// bootID returns an identifier of this start of the machine, or "" if the system has none.
func bootID(machine *host.Host) string {
	const size = 64 // a UUID and a line feed
	text, err := machine.ReadFile("/proc/sys/kernel/random/boot_id", size)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
