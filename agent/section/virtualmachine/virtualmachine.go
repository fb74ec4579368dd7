// Package virtualmachine collects the section "virtual_machine": the machines that this one runs, or has defined to run,
// so that a guest and the host that it is on can be told to be that. It reads what the managers of virtual machines write
// down, and the command lines of what runs: libvirt's domains, those of the system and those of users, the machines of
// Proxmox VE, those of VirtualBox in the users' homes, and QEMU that somebody started by hand. It asks no daemon and no
// monitor.
package virtualmachine

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector collects the virtual machines.
func Collector() section.Collector {
	return section.Collector{Name: "virtual_machine", Collect: collect}
}

// maxMachines bounds the items of one host.
const maxMachines = 4096

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	s := &survey{host: h}
	s.listProcesses()
	s.listHomes()
	s.libvirt()
	s.proxmox()
	s.virtualBox()
	s.emulators()
	if !s.found && !s.live && len(s.errs) == 0 {
		return nil, fmt.Errorf("%w: nothing here tells of virtual machines", host.ErrUnsupported)
	}
	items := s.items()
	return items, errors.Join(s.errs...)
}

// survey gathers the machines, source by source.
type survey struct {
	host      *host.Host
	processes []process
	mounts    map[string]bool // by their points, whether they are of another machine
	homes     []string
	machines  []*inventoryv1.VirtualMachine
	errs      []error
	// live says that processes can be seen, so that what none of them runs is off. Otherwise, as on another machine's
	// disk, no state is known.
	live bool
	// found says that a manager of virtual machines was here.
	found bool
}

// States of virtual machines.
const (
	running = "running"
	paused  = "paused"
	saved   = "saved" // off, with what was in its memory
	shutOff = "shut off"
)

func (s *survey) add(m *inventoryv1.VirtualMachine) { s.machines = append(s.machines, m) }

func (s *survey) fail(err error) { s.errs = append(s.errs, err) }

// items gives the machines their keys, and a state to those that nothing runs.
func (s *survey) items() []proto.Message {
	if len(s.machines) > maxMachines {
		s.fail(fmt.Errorf("%d virtual machines: those beyond %d are left out", len(s.machines), maxMachines))
		s.machines = s.machines[:maxMachines]
	}
	machines := label(s.machines)
	items := make([]proto.Message, len(machines))
	for i, m := range machines {
		if m.State == "" && s.live {
			m.State = shutOff
		}
		items[i] = m
	}
	return items
}
