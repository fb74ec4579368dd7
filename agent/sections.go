package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/display"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/memory"
	"github.com/musterhq/muster/agent/section/network"
	"github.com/musterhq/muster/agent/section/operatingsystem"
	"github.com/musterhq/muster/agent/section/service"
	"github.com/musterhq/muster/agent/section/software"
	"github.com/musterhq/muster/agent/section/storage"
	"github.com/musterhq/muster/agent/section/system"
	"github.com/musterhq/muster/agent/section/volume"
)

// collectors lists every section that the agent collects, in the order in which it does.
func collectors() []section.Collector {
	return []section.Collector{
		system.Collector(),
		firmware.Collector(),
		cpu.Collector(),
		memory.Collector(),
		storage.Collector(),
		volume.Collector(),
		network.Collector(),
		display.Collector(),
		operatingsystem.Collector(),
		software.Collector(),
		service.Collector(),
	}
}

// choose picks the collectors of the named sections, all of them where none is named.
func choose(all []section.Collector, names []string) ([]section.Collector, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	var chosen []section.Collector
	for _, c := range all {
		known = append(known, c.Name)
		if slices.Contains(names, c.Name) {
			chosen = append(chosen, c)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown section %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}
