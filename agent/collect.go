package main

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/state"
)

// newAgent puts the agent together: what it collects, what it remembers, and the wire. The collectors are the same as
// long as it runs: some of them remember.
func newAgent(s *state.State, sections []section.Collector, log io.Writer) *link.Agent {
	machine := host.Local()
	return &link.Agent{
		State:   s,
		Collect: func(ctx context.Context) link.Inventory { return collect(ctx, machine, sections) },
		Version: version(),
		BootID:  bootID(machine),
		Logger:  slog.New(slog.NewTextHandler(log, nil)),
	}
}

// collect takes the machine's inventory section by section, so that only one of them is in memory twice: as it was
// found and as it travels.
func collect(ctx context.Context, machine *host.Host, sections []section.Collector) link.Inventory {
	var inv link.Inventory
	var hardware []proto.Message
	for _, c := range sections {
		report := section.Run(ctx, machine, []section.Collector{c})[0]
		inv.Sections = append(inv.Sections,
			link.NewSection(report.Section, report.Status, report.Message, report.Duration, report.Items))
		if link.NamesHardware(report.Section) {
			hardware = append(hardware, report.Items...)
		}
	}
	inv.Hardware = link.Hardware(hardware)
	return inv
}

// bootID tells one start of the machine from the next; empty where the system does not say.
func bootID(machine *host.Host) string {
	const size = 64 // a UUID and a line feed
	text, err := machine.ReadFile("/proc/sys/kernel/random/boot_id", size)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
