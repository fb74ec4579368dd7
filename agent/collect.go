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
func newAgent(s *state.State, sections []section.Collector, logger *slog.Logger) *link.Agent {
	machine := host.Local()
	return &link.Agent{
		State:   s,
		Collect: func(ctx context.Context) link.Inventory { return collect(ctx, machine, sections) },
		Version: version(),
		BootID:  bootID(machine),
		Logger:  logger,
	}
}

// collect runs the collectors one after the other, so that at most one section is in memory twice:
// as found and as encoded.
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

// bootID returns an identifier of this start of the machine, or "" if the system has none.
func bootID(machine *host.Host) string {
	const size = 64 // a UUID and a line feed
	text, err := machine.ReadFile("/proc/sys/kernel/random/boot_id", size)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
