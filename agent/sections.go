package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
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
	"github.com/musterhq/muster/agent/section/user"
	"github.com/musterhq/muster/agent/section/virtualmachine"
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
		user.Collector(),
		virtualmachine.Collector(),
	}
}

// choose picks the collectors of the named sections, all of them where none is named.
func choose(all []section.Collector, names []string) ([]section.Collector, error) {
	if len(names) == 0 {
		return all, nil
	}
	if err := checkNames(all, names); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c section.Collector) bool { return !slices.Contains(names, c.Name) }), nil
}

// withoutFlag says what the agent may not collect.
type withoutFlag struct {
	Without []string `placeholder:"NAME" env:"MUSTER_WITHOUT" help:"Do not collect these sections, e.g. user, which is about people. They are reported as unsupported; what a collector holds of them already, it keeps."`
}

// collectors lists every section; those that are switched off say so when they are asked.
func (w withoutFlag) collectors() ([]section.Collector, error) {
	all := collectors()
	if err := checkNames(all, w.Without); err != nil {
		return nil, err
	}
	for i, c := range all {
		if slices.Contains(w.Without, c.Name) {
			all[i].Collect = func(context.Context, *host.Host) ([]proto.Message, error) { return nil, errSwitchedOff }
		}
	}
	return all, nil
}

// errSwitchedOff is what a section that is switched off says of itself.
var errSwitchedOff switchedOffError

type switchedOffError struct{}

func (switchedOffError) Error() string { return "switched off" }

// Unwrap gives the section its status: what an agent may not collect, it does not support.
func (switchedOffError) Unwrap() error { return host.ErrUnsupported }

func checkNames(all []section.Collector, names []string) error {
	known := make([]string, len(all))
	for i, c := range all {
		known[i] = c.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown section %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}
