package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/battery"
	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/display"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/gpu"
	"github.com/musterhq/muster/agent/section/group"
	"github.com/musterhq/muster/agent/section/management"
	"github.com/musterhq/muster/agent/section/memory"
	"github.com/musterhq/muster/agent/section/network"
	"github.com/musterhq/muster/agent/section/operatingsystem"
	"github.com/musterhq/muster/agent/section/patch"
	"github.com/musterhq/muster/agent/section/pci"
	"github.com/musterhq/muster/agent/section/printer"
	"github.com/musterhq/muster/agent/section/security"
	"github.com/musterhq/muster/agent/section/service"
	"github.com/musterhq/muster/agent/section/session"
	"github.com/musterhq/muster/agent/section/software"
	"github.com/musterhq/muster/agent/section/storage"
	"github.com/musterhq/muster/agent/section/system"
	"github.com/musterhq/muster/agent/section/usb"
	"github.com/musterhq/muster/agent/section/user"
	"github.com/musterhq/muster/agent/section/virtualmachine"
	"github.com/musterhq/muster/agent/section/volume"
)

// collectors returns every section that the agent collects, in the order of collection.
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
		pci.Collector(),
		gpu.Collector(),
		usb.Collector(),
		battery.Collector(),
		printer.Collector(),
		management.Collector(),
		patch.Collector(),
		group.Collector(),
		session.Collector(),
		security.Collector(),
	}
}

// choose returns the collectors of the named sections, or all collectors if names is empty.
func choose(all []section.Collector, names []string) ([]section.Collector, error) {
	if len(names) == 0 {
		return all, nil
	}
	if err := checkNames(all, names); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c section.Collector) bool { return !slices.Contains(names, c.Name) }), nil
}

// withoutFlag is the option that turns sections off.
type withoutFlag struct {
	Without []string `placeholder:"NAME" env:"MUSTER_WITHOUT" help:"Do not collect these sections, e.g. user, which contains personal data. The agent reports them as unsupported; the collector keeps what it already has of them."`
}

// collectors returns every section. A section that is turned off returns errSwitchedOff.
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

// errSwitchedOff is the error of a section that is turned off by the option --without.
var errSwitchedOff switchedOffError

type switchedOffError struct{}

func (switchedOffError) Error() string { return "turned off by --without or MUSTER_WITHOUT" }

// Unwrap makes the section's status "unsupported".
func (switchedOffError) Unwrap() error { return host.ErrUnsupported }

func checkNames(all []section.Collector, names []string) error {
	known := make([]string, len(all))
	for i, c := range all {
		known[i] = c.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown section %q; the sections are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}
