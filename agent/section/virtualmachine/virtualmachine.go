// Package virtualmachine collects the section "virtual_machine": the virtual machines that this
// machine runs or defines, so that a guest can be linked to its host. It reads the files of their
// managers and the command lines of processes: libvirt's domains of the system and of users,
// Proxmox VE, VirtualBox in the users' homes, and QEMU started by hand. It never contacts a daemon
// or a monitor, and reads on behalf of a user only what the user could read. A process is believed
// to run a machine only if its program is the system's. Start reading at collect.
package virtualmachine

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/homes"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section virtual_machine.
func Collector() section.Collector {
	return section.Collector{Name: "virtual_machine", Collect: collect}
}

// maxMachines bounds the items of one host.
const maxMachines = 4096

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	s := &survey{host: h}
	defer s.close()
	s.listProcesses()
	s.listHomes()
	s.libvirt()
	s.proxmox()
	s.virtualBox()
	s.emulators()
	if !s.found && !s.live && len(s.errs) == 0 {
		return nil, fmt.Errorf("%w: no virtual machine manager found", host.ErrUnsupported)
	}
	items := s.items()
	return items, errors.Join(s.errs...)
}

// survey gathers the machines from all sources.
type survey struct {
	host      *host.Host
	processes []process
	mounts    homes.Mounts
	homes     []*host.Home
	sessions  []*host.Home // the users' directories in /run/user
	machines  []*inventoryv1.VirtualMachine
	errs      []error
	// live reports that processes are visible, so that a machine without one is off. Otherwise, as
	// on another machine's disk, no state is known.
	live bool
	// found reports that a manager of virtual machines was found.
	found bool
}

// States of virtual machines.
const (
	running = "running"
	paused  = "paused"
	saved   = "saved" // off, with its memory saved
	shutOff = "shut off"
)

func (s *survey) system() place { return system{s.host} }

func (s *survey) add(m *inventoryv1.VirtualMachine) { s.machines = append(s.machines, m) }

func (s *survey) fail(err error) { s.errs = append(s.errs, err) }

// items completes the machines' keys and sets the state of those that no process runs.
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
